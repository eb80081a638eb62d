/**
 * Rebuild: 1,000,000 seat events on 2,000 keys and 10 partitions, from the embedded log, and from
 * Kafka where KAFKA_BROKERS names brokers (`npm run stack`), folded into a new generation in
 * Postgres; the live catch-up of the same log beside it, in the same run. The first rebuild is that
 * of a process that has just begun, the last one that of compiled code. All rows are compared with
 * counts made without the engine, and the digests of all generations with one another.
 */
import { parseArgs } from "node:util";

import { PostgresReadModelStore, PostgresRecordLog } from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { Generation } from "../engine/ports/read-model-store.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { catchUp, type Filled } from "./_catch-up.ts";
import { costOf, costText } from "./_cost.ts";
import { fillLog } from "./_fill-log.ts";
import { onKafkaTopic } from "./_kafka-topic.ts";
import { onOwnPostgres, type OwnPostgres } from "./_own-postgres.ts";
import { assertEqual, fillGeneration } from "./_rebuild.ts";
import { seatBoard } from "./_seat-board.ts";
import { SeatEvents } from "./_seat-events.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "1000000" } } });
const total = Number(values.events);

await onOwnPostgres(async (own) => {
  await using log = new PostgresRecordLog({ pool: own.pool });
  await measure("embedded log", { ...own, log });
});
await onKafkaTopic("rebuild", (log) => onOwnPostgres((own) => measure("Kafka", { ...own, log })));

async function measure(from: string, on: OwnPostgres & { readonly log: RecordLog }) {
  const { pool, pid, log } = on;
  const filled = await filledWith(log);
  const store = new PostgresReadModelStore({ pool });
  const generations: Generation[] = [await store.open(readModelOf(seatBoard))];
  const fill = async (what: string): Promise<void> => {
    const cost = await costOf(pid, async () => {
      generations.push(await fillGeneration(filled, store));
    });
    console.log(`${from}: ${what}: ${costText(cost, total)}`);
  };
  await fill("rebuild");
  const live = await costOf(pid, () => catchUp({ ...filled, pool, into: "Postgres" }));
  console.log(`${from}: live catch-up: ${costText(live, total)}`);
  await fill("rebuild again");
  await assertEqual(filled, store, generations);
  console.log(`${from}: rows and digests of all generations equal`);
}

async function filledWith(log: RecordLog): Promise<Filled> {
  const registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
  const codec = avroCodec({ registry });
  const history = new SeatEvents(codec);
  await fillLog({ log, codec, history, events: total, perCall: 2_000 });
  return { log, codec, history };
}
