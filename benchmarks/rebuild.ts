/**
 * Rebuild: 1,000,000 seat events on 2,000 keys and 10 partitions, from the embedded log, and from
 * Kafka where KAFKA_BROKERS names brokers (`npm run stack`), folded into a new generation in
 * Postgres, and into one that is brought to Redis too, with the live catch-up of the same log beside
 * them in the same run. A rebuild and a catch-up into another read model come first, unmeasured. All
 * rows are compared with counts made without the engine, and the digests of all generations with one
 * another.
 */
import { parseArgs } from "node:util";

import {
  PostgresGenerations,
  PostgresReadModelStore,
  PostgresRecordLog,
} from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { Generation } from "../engine/ports/read-model-store.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { catchUp, clock, type Filled, warmUp } from "./_catch-up.ts";
import { costOf } from "./_cost.ts";
import { fillLog } from "./_fill-log.ts";
import { noKafka, onKafkaTopic } from "./_kafka-topic.ts";
import { onOwnPostgres, type OwnPostgres } from "./_own-postgres.ts";
import { assertEqual, fillGeneration, fillGenerationInBoth } from "./_rebuild.ts";
import { followInRedis } from "./_redis.ts";
import { seatBoard } from "./_seat-board.ts";
import { SeatEvents } from "./_seat-events.ts";
import { readToEnd } from "./_read-to-end.ts";
import { type CostOfEvents, tellCost } from "./_tell-cost.ts";
import { tellChecked, tellLeftOut, tellRate } from "./harness/tell.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "1000000" } } });
const total = Number(values.events);

await onOwnPostgres(async (own) => {
  await using log = new PostgresRecordLog({ pool: own.pool });
  await measure("embedded log", { ...own, log });
});
const onKafka = await onKafkaTopic("rebuild", (log) =>
  onOwnPostgres((own) => measure("Kafka", { ...own, log })),
);
if (!onKafka) tellLeftOut(noKafka);

async function measure(from: string, on: OwnPostgres & { readonly log: RecordLog }) {
  const { pool, pid, log } = on;
  const filled = await filledWith(log);
  const store = new PostgresReadModelStore({ pool });
  const builds = new PostgresGenerations({ pool });
  await using redis = await followInRedis({ pool, primary: store, clock, follows: "when-asked" });
  const generations: Generation[] = [await store.open(readModelOf(seatBoard))];
  const ceiling = `${from}: read alone`;
  const costs: CostOfEvents[] = [];
  const keep = async (what: string, work: () => Promise<Generation | void>): Promise<void> => {
    const cost = await costOf(pid, async () => {
      const made = await work();
      if (made) generations.push(made);
    });
    costs.push({ name: `${from}: ${what}`, cost, events: total, ceiling });
  };
  generations.push(await fillGeneration(filled, { builds, store }));
  await warmUp({ ...filled, pool });
  await keep("rebuild into Postgres", () => fillGeneration(filled, { builds, store }));
  await keep("live catch-up", async () => {
    await catchUp({ ...filled, pool, into: "Postgres" });
  });
  await keep("rebuild into Postgres and Redis", () => fillGenerationInBoth(filled, builds, redis));
  await assertEqual(filled, store, generations);
  await assertEqual(filled, redis.store, generations.slice(-1));
  tellChecked(`${from}: rows and digests of all generations are equal, in Redis too`);
  for (const cost of costs) tellCost(cost);
  const seconds = await readToEnd(log, total);
  tellRate({ name: ceiling, of: "events", count: total, seconds, role: "ceiling" });
}

async function filledWith(log: RecordLog): Promise<Filled> {
  const registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
  const codec = avroCodec({ registry });
  const history = new SeatEvents(codec);
  await fillLog({ log, codec, history, events: total, perCall: 2_000 });
  return { log, codec, history };
}
