import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock, SystemRandom } from "../../bin/system-clock.ts";
import { openHistory } from "../../bin/system/history.ts";
import { skipOffsets } from "../../connectors/postgres/index.ts";
import type { AnyRow } from "../../engine/columns.ts";
import type { PartitionAppend, ReadOptions } from "../../engine/ports/record-log.ts";
import { planRebuild } from "../../engine/rebuild/index.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { realClock } from "../engine/process.ts";
import { beside } from "../support/beside.ts";
import { TestBroker } from "../support/kafka-broker.ts";
import { board, counters, history } from "../engine/seats.ts";
import { kafkaStage, type KafkaStage, takeBefore } from "./kafka-stage.ts";
import { conduct, firstMs, generationOf, rowsWhenCaughtUp, start, work } from "./system-stage.ts";

const numbers = Array.from({ length: 600 }, (_, at) => (at * 7919) % 1009);

async function staged(): Promise<KafkaStage> {
  const stage = await kafkaStage(broker);
  await stage.append(history(numbers));
  await work(stage);
  await rowsWhenCaughtUp(stage, 1);
  return stage;
}

/** Appends until it is ended. */
function traffic({ append }: KafkaStage): () => Promise<void> {
  return beside(async (ended) => {
    for (let at = 0; !ended.aborted; at += 1) {
      await append(history(numbers.slice(at % 500, (at % 500) + 10)));
      await realClock.sleep(10);
    }
  });
}

const groupsOf = async ({ admin }: KafkaStage): Promise<string[]> =>
  (await admin.listGroups()).groups.map(({ groupId }) => groupId).sort();

async function plan({ stores }: KafkaStage) {
  const ports = { clock: systemClock, random: new SystemRandom() };
  const [serving] = (await stores.generations.list(board.name)).filter(
    ({ role }) => role === "serving",
  );
  if (serving === undefined) throw new Error("Nothing serves.");
  return planRebuild({
    ...stores,
    ...ports,
    readModels: stores.readModelStore,
    projection: board,
    request: { from: { kind: "earliest" } },
    serving: { ...serving, serving: true },
  });
}

let broker: TestBroker;

beforeAll(async () => {
  broker = await TestBroker.start();
}, 60_000);

afterAll(() => broker[Symbol.asyncDispose]());

test("a read model out of Kafka is rebuilt without a group, swapped in under live writes, and brought back", async () => {
  const stage = await staged();
  const before = await groupsOf(stage);
  const endTraffic = traffic(stage);
  const record = await conduct(stage, await start(stage));
  expect(record).toMatchObject({ state: "swapped", failure: undefined, shadow: 2 });
  expect(record.proof).toMatchObject({ bucketsDiffering: [], recount: "equal", redis: "none" });
  expect((await groupsOf(stage)).filter((group) => group.includes("shadow"))).toEqual([]);
  expect(await groupsOf(stage)).toEqual(expect.arrayContaining(before));
  expect(await stage.stores.rebuilds.wish(record.id, "undo")).toBe(true);
  expect(await conduct(stage, record.id)).toMatchObject({ state: "undone", failure: undefined });
  await endTraffic();
  expect(await rowsWhenCaughtUp(stage, 1)).toEqual(foldAll(board, stage.events));
});

test("a conductor that dies while it fills leaves what is in Kafka to the next, and the broker may die with it", async () => {
  const stage = await staged();
  const id = await start(stage);
  const record = await conduct(stage, id, {
    point: "round-filled",
    meanwhile: async () => {
      await stage.broker.kill();
      await stage.broker.startAgain();
      await stage.append(history(numbers.slice(0, 100)));
    },
  });
  expect(record).toMatchObject({ state: "swapped", failure: undefined });
  expect(await rowsWhenCaughtUp(stage, 2)).toEqual(foldAll(board, stage.events));
});

test("where retention has taken the beginning, a plan is refused with the partitions that lack it", async () => {
  const stage = await staged();
  await takeBefore(stage, new Map([[2, 5n]]));
  await expect(plan(stage)).rejects.toThrow(/counters\/2 begins at offset 5/);
  const record = await conduct(stage, await start(stage));
  expect(record).toMatchObject({ state: "failed", failure: { code: "history-gone" } });
  expect(await rowsWhenCaughtUp(stage, 1)).toEqual(foldAll(board, stage.events));
});

test.each(["shadow-noted", "round-filled"] as const)(
  "a rebuild that retention overtakes at %s stops, and says where",
  async (point) => {
    const stage = await staged();
    const bounds = await stage.stores.log.bounds(counters.name);
    const ends = new Map(bounds.map(({ partition, end }) => [partition, end - 1n]));
    const meanwhile = async () => {
      // Past what was filled before, too.
      await stage.append(history(numbers));
      await rowsWhenCaughtUp(stage, 1);
      await takeBefore(stage, new Map([...ends].map(([at, end]) => [at, end + 20n])));
    };
    const record = await conduct(stage, await start(stage), { point, meanwhile });
    expect(record).toMatchObject({ state: "failed", failure: { code: "history-gone" } });
    expect(record.failure?.message).toMatch(/counters\/\d.*Start it again: it begins from/s);
    const shadow = await generationOf(stage, 2).catch(() => undefined);
    expect(shadow?.role ?? "removing").toBe("removing");
    expect(await rowsWhenCaughtUp(stage, 1)).toEqual(foldAll(board, stage.events));
  },
);

test("a rebuild that retention overtakes between two fetches stops, and says where", async () => {
  const stage = await staged();
  const { log } = stage.stores;
  const id = await start(stage);
  let taken = false;
  const read = async function* (options: ReadOptions) {
    for await (const fetch of log.read(options)) {
      yield fetch;
      if (taken || (await stage.stores.rebuilds.find(id))?.state !== "filling") continue;
      taken = true;
      const bounds = await log.bounds(counters.name);
      await takeBefore(stage, new Map(bounds.map(({ partition, end }) => [partition, end])));
    }
  };
  const over = {
    log: {
      topics: () => log.topics(),
      bounds: (topic: string) => log.bounds(topic),
      offsetsAt: (topic: string, atMs: number) => log.offsetsAt(topic, atMs),
      read,
    },
  };
  const record = await conduct(stage, id, { over });
  expect(taken).toBe(true);
  expect(record).toMatchObject({ state: "failed", failure: { code: "history-gone" } });
  expect(record.failure?.message).toMatch(/counters, partition \d, are gone.*Start it again/);
});

test("what readers skip, because it was published again, is no part of a rebuild either", async () => {
  const stage = await kafkaStage(broker);
  await stage.append(history(numbers));
  const again = history(numbers.slice(0, 100));
  const published = stage.journal.encode(counters, again);
  stage.events.push(...again);
  // The lanes lose what came first; then they are published again, and end with what is skipped.
  const damaged = published.map((one) => ({ ...one, records: one.records.slice(3) }));
  await appendSkipped(stage, damaged);
  await stage.stores.log.append(published);
  await appendSkipped(stage, damaged);
  await work(stage);
  const rows = await rowsWhenCaughtUp(stage, 1);
  expect(rows).toEqual(foldAll(board, stage.events));
  const record = await conduct(stage, await start(stage));
  expect(record).toMatchObject({ state: "swapped", failure: undefined });
  expect(await rowsWhenCaughtUp(stage, 2)).toEqual(rows);
});

async function appendSkipped(
  { stores: { log, pool } }: KafkaStage,
  appends: readonly PartitionAppend[],
): Promise<void> {
  const topicId = (await log.topics()).find(({ name }) => name === counters.name)?.id ?? "";
  for (const range of await log.append(appends)) {
    const { topic, partition, firstOffset: from, endOffset: to } = range;
    const client = await pool.connect();
    await skipOffsets(client, { topicId, topic, partition, from, to }, "test");
    client.release();
  }
}

test("rows of a past time are folded from Kafka as they were then", async () => {
  const stage = await staged();
  using past = openHistory(stage.stores, [board]);
  for (const count of [1, 37, 300, 600]) {
    const atMs = firstMs + (count - 1) * 1_000;
    const expected = foldAll(board, stage.events.slice(0, count));
    const { store, generation } = await past.models.asOf(board, atMs);
    const found = new Map<string, AnyRow>();
    for await (const page of store.scan(generation)) {
      for (const { key, row } of page) found.set(key, row);
    }
    expect(found).toEqual(expected);
  }
});
