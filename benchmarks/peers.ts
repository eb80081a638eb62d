/**
 * The usual ways to keep a read model by hand, beside the runner, in one run: the same events in the
 * same topics of Kafka, the same Postgres, every commit synced to the disk. Consumers by hand read
 * with kafkajs and decode with the engine's decoder. All rows are compared one by one with counts
 * made without the engine before a figure is told. KAFKA_BROKERS names the brokers.
 */
import { parseArgs } from "node:util";

import type { Pool } from "pg";

import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { catchUp } from "./_catch-up.ts";
import { fillLog } from "./_fill-log.ts";
import { noKafka, onKafkaTopic, type TopicPlace } from "./_kafka-topic.ts";
import { type ByHand, consumeInBatches, consumeNaively } from "./_kafkajs-consumers.ts";
import { onOwnPostgres } from "./_own-postgres.ts";
import { SeatDeltas } from "./_seat-deltas.ts";
import { assertRows, SeatEvents, topic } from "./_seat-events.ts";
import { makeSeatTable, seatRows } from "./_seat-table.ts";
import { type Rate, tellChecked, tellLeftOut, tellRate } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    naiveEvents: { type: "string", default: "10000" },
    keys: { type: "string", default: "2000" },
  },
});

/** What is told when every one of them has been checked. */
const rates: Rate[] = [];

interface OnTopic {
  readonly log: RecordLog;
  readonly place: TopicPlace;
  readonly codec: ReturnType<typeof avroCodec>;
  readonly history: SeatEvents;
}

/** The same work by hand. */
async function byHand(
  { place, codec, history }: OnTopic,
  name: string,
  consume: (hand: ByHand) => Promise<number>,
): Promise<void> {
  await onOwnPostgres(async ({ pool }: { readonly pool: Pool }) => {
    await makeSeatTable(pool, topic.partitions);
    const deltas = new SeatDeltas(codec);
    const seconds = await consume({ ...place, pool, deltas, total: history.made });
    assertRows(await seatRows(pool), history.expected);
    rates.push({ name, of: "events", count: history.made, seconds, role: "peer" });
  });
}

async function byRunner({ log, codec, history }: OnTopic): Promise<void> {
  await onOwnPostgres(async ({ pool }) => {
    const { seconds } = await catchUp({ pool, log, codec, history, into: "Postgres" });
    rates.push({ name: "Refold's runner", of: "events", count: history.made, seconds });
  });
}

/** Gives `work` a topic with so many events; false where no brokers are named. */
function onFilledTopic(events: number, work: (on: OnTopic) => Promise<void>): Promise<boolean> {
  return onKafkaTopic("peers", async (log, place) => {
    const registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
    const codec = avroCodec({ registry });
    const history = new SeatEvents(codec, { keys: Number(values.keys) });
    await fillLog({ log, codec, history, events, perCall: 20_000 });
    await work({ log, place, codec, history });
  });
}

const reached = await onFilledTopic(Number(values.events), async (on) => {
  // Twice, of which the second counts: what comes later would find code compiled that both use.
  for (const _ of ["unmeasured", "measured"]) {
    rates.length = 0;
    await byRunner(on);
    await byHand(on, "kafkajs, batches with their offsets in the transaction", consumeInBatches);
  }
});
if (reached) {
  await onFilledTopic(Number(values.naiveEvents), (on) =>
    byHand(on, "kafkajs, one upsert and commit an event", consumeNaively),
  );
  tellChecked("all rows of each equal counts made without the engine");
  for (const rate of rates) tellRate(rate);
} else {
  tellLeftOut(noKafka);
}
