import {
  type Consumer,
  type EachBatchPayload,
  Kafka,
  type KafkaJSDeleteGroupsError,
  logLevel,
} from "kafkajs";
import type { Pool } from "pg";

import { type SeatDelta, type SeatDeltas } from "./_seat-deltas.ts";
import { moveOffset, upsertSeats } from "./_seat-table.ts";

const groupIdNotFound = 69;

export interface ByHand {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly pool: Pool;
  readonly deltas: SeatDeltas;
  /** Records in the topic. */
  readonly total: number;
}

/** The usual first try: one upsert and one commit for each message. Gives the seconds. */
export const consumeNaively = (hand: ByHand): Promise<number> =>
  consumed(hand, "naive", (consumer, applied) =>
    consumer.run({
      eachMessage: async ({ message: { value } }) => {
        if (value !== null) await upsertSeats(hand.pool, await deltasOf(hand, [value]));
        applied(1);
      },
    }),
  );

/**
 * The usual second try: a batch folded in memory, written by one statement, with its offset in the
 * same transaction; four partitions at once. As safe as what it is compared with: a batch counts
 * once, whatever crashes. Gives the seconds.
 */
export const consumeInBatches = (hand: ByHand): Promise<number> =>
  consumed(hand, "batch", (consumer, applied) =>
    consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: async (payload) => {
        await applyBatch(hand, payload);
        applied(payload.batch.messages.length);
      },
    }),
  );

async function applyBatch(hand: ByHand, payload: EachBatchPayload): Promise<void> {
  const { batch } = payload;
  const { partition, messages } = batch;
  const values = messages.flatMap(({ value }) => value ?? []);
  const from = BigInt(batch.firstOffset() ?? 0);
  const to = BigInt(batch.lastOffset()) + 1n;
  const deltas = await deltasOf(hand, values);
  const client = await hand.pool.connect();
  try {
    await client.query("begin");
    await upsertSeats(client, deltas);
    await moveOffset(client, { partition, from, to });
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
  payload.resolveOffset(batch.lastOffset());
}

async function deltasOf(
  { deltas }: ByHand,
  values: readonly Buffer[],
): Promise<Map<string, SeatDelta>> {
  const of = new Map<string, SeatDelta>();
  for (const value of values) {
    await deltas.learn(value);
    deltas.add(value, of);
  }
  return of;
}

/** From the moment when the consumer has its partitions until the last record is applied. */
async function consumed(
  { brokers, topic, total }: ByHand,
  kind: string,
  run: (consumer: Consumer, applied: (records: number) => void) => Promise<void>,
): Promise<number> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const groupId = `${topic}-${kind}`;
  const consumer = kafka.consumer({ groupId, maxBytesPerPartition: 1_048_576 });
  const done = Promise.withResolvers<void>();
  let beganMs = Number.NaN;
  let count = 0;
  consumer.on("consumer.group_join", () => (beganMs = performance.now()));
  consumer.on("consumer.crash", ({ payload }) => done.reject(payload.error));
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  try {
    await run(consumer, (records) => {
      count += records;
      if (count >= total) done.resolve();
    });
    await done.promise;
    return (performance.now() - beganMs) / 1_000;
  } finally {
    await consumer.disconnect();
    await removeGroup(kafka, groupId);
  }
}

async function removeGroup(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteGroups([groupId]).catch(throwUnlessGone);
  await admin.disconnect();
}

/** A group that has committed no offsets goes by itself when its last member leaves. */
function throwUnlessGone(error: unknown): void {
  // kafkajs exports the class in a way that modules don't see: its name tells.
  const isOfGroups = error instanceof Error && error.name === "KafkaJSDeleteGroupsError";
  if (!isOfGroups) throw error;
  const { groups } = error as KafkaJSDeleteGroupsError;
  if (groups.some(({ errorCode }) => errorCode !== groupIdNotFound)) throw error;
}
