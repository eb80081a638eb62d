import { expect, onTestFinished, test } from "vitest";

import {
  deadLetterTopicOf,
  DeadLetterTopics,
  type DeadLetterTopicsOptions,
  type KafkaRecordLog,
} from "../../connectors/kafka/index.ts";
import {
  insertDeadLetters,
  PostgresDeadLetters,
  PostgresLetterFeed,
  settleDeadLetters,
} from "../../connectors/postgres/dead-letters/index.ts";
import { commit, inTransaction } from "../../connectors/postgres/transaction.ts";
import { TransientError } from "../../engine/errors.ts";
import type { DeadLetter, LetterSettlement } from "../../engine/ports/dead-letters.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { offset } from "../../engine/position.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import { realClock } from "../api/real-clock.ts";
import { settlement } from "../conformance/dead-letters.ts";
import { deadLetter } from "../conformance/store-samples.ts";
import { adminOfTest, logOfTest, newTopicName } from "../kafka/cluster-of-test.ts";
import { storesDatabase } from "../stores/postgres-stores.ts";

const partitions = 3;

async function world() {
  const database = await storesDatabase();
  onTestFinished(() => database[Symbol.asyncDispose]());
  const { pool } = database;
  const topic = newTopicName();
  const log = logOfTest();
  await log.ensureTopic({ name: topic, partitions });
  return {
    topic,
    log,
    letters: new PostgresDeadLetters({ pool }),
    feed: new PostgresLetterFeed({ pool }),
    write: (letters: readonly DeadLetter[]) =>
      inTransaction(pool, "Writing", async (client) => {
        await insertDeadLetters(client, letters);
        return commit(undefined);
      }),
    settle: (settlements: readonly LetterSettlement[]) =>
      inTransaction(pool, "Settling", async (client) => {
        await settleDeadLetters(client, settlements, { owner: "test", advances: [] });
        return commit(undefined);
      }),
  };
}

type World = Awaited<ReturnType<typeof world>>;

function publishing({ feed, log, topic }: World, over: Partial<DeadLetterTopicsOptions> = {}) {
  const topics = [{ name: topic, partitions }];
  const shared = { feed, log, topics, clock: realClock, metrics: noMetrics, intervalMs: 20 };
  const published = new DeadLetterTopics({ ...shared, ...over });
  onTestFinished(() => published[Symbol.asyncDispose]());
  return published;
}

interface Told {
  readonly partition: number;
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

async function told(log: KafkaRecordLog, topic: string): Promise<readonly Told[]> {
  const from = new Map(Array.from({ length: partitions }, (_, at) => [at, offset(0)] as const));
  const found: Told[] = [];
  const cursor = new RecordCursor();
  const { signal } = new AbortController();
  const name = deadLetterTopicOf(topic);
  for await (const fetch of log.read({ topic: name, from, until: "end", signal })) {
    for (const { partition, bytes } of fetch.partitions) {
      cursor.reset(bytes, 0);
      while (cursor.next()) {
        const { key, value, headers } = cursor.record();
        const texts = headers.map((one) => [one.name, one.value?.toString() ?? ""] as const);
        found.push({
          partition,
          key: key?.toString(),
          value: value?.toString(),
          headers: Object.fromEntries(texts),
        });
      }
    }
  }
  return found;
}

async function untilTold({ log, topic }: World, count: number): Promise<readonly Told[]> {
  let found: readonly Told[] = [];
  await expect
    .poll(
      async () => {
        found = await told(log, topic).catch(() => []);
        return found.length;
      },
      { timeout: 30_000, interval: 50 },
    )
    .toBe(count);
  return found;
}

const idsIn = (all: readonly Told[], partition: number) =>
  all
    .filter((one) => one.partition === partition)
    .map(
      ({ headers }) => `${headers["__refold.letter.id"]} ${headers["__refold.letter.disposition"]}`,
    );

test("every disposition of a letter is told beside its topic, with its record and its place", async () => {
  const system = await world();
  const { topic, write, settle, letters } = system;
  await using _ = publishing(system, { retentionMs: 3_600_000, lettersMax: 2 });
  const at = (partition: number, of: number, over: Partial<DeadLetter> = {}) =>
    deadLetter("shelf", {
      topic,
      partition,
      offset: offset(of),
      key: Buffer.from(`k${partition}`),
      value: Buffer.from(`value ${of}`),
      headers: [{ name: "ce_type", value: Buffer.from("app.Moved") }],
      ...over,
    });
  const message = "Thirteen is not understood.";
  const failed = { cause: "fold", message, stack: "RangeError: 13\n  at fold" };
  await write([
    at(0, 5, failed),
    at(1, 7),
    at(0, 6, { disposition: "waiting" }),
    at(2, 8),
    at(0, 9),
  ]);
  const first = await untilTold(system, 5);
  const [one, two, three, four, five] = await letters.list({ limit: 5 });
  if (!one || !two || !three || !four || !five) throw new Error("Five letters were written.");
  expect(idsIn(first, 0)).toEqual([`${one.id} failed`, `${three.id} waiting`, `${five.id} failed`]);
  expect(first.find(({ headers }) => headers["__refold.letter.id"] === String(one.id))).toEqual({
    partition: 0,
    key: "k0",
    value: "value 5",
    headers: {
      ce_type: "app.Moved",
      "__streams.errors.exception": "fold",
      "__streams.errors.message": message,
      "__streams.errors.stacktrace": failed.stack,
      "__streams.errors.topic": topic,
      "__streams.errors.partition": "0",
      "__streams.errors.offset": "5",
      "__refold.letter.id": String(one.id),
      "__refold.letter.disposition": "failed",
      "__refold.letter.consumer": "shelf",
      "__refold.letter.generation": "1",
      "__refold.letter.attempts": "1",
      "__refold.letter.at": one.firstAt.toISOString(),
    },
  });
  await settle([
    settlement(one, { disposition: "redriven", tries: 1 }),
    settlement(two, { disposition: "discarded", reason: "Never announced." }),
  ]);
  const all = await untilTold(system, 7);
  expect(idsIn(all, 0).at(-1)).toBe(`${one.id} redriven`);
  expect(all.filter(({ partition }) => partition === 1).at(-1)?.headers).toMatchObject({
    "__refold.letter.disposition": "discarded",
    "__refold.letter.reason": "Never announced.",
  });
  const admin = await adminOfTest();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: deadLetterTopicOf(topic), configNames: ["retention.ms"] }],
  });
  expect(resources[0]?.configEntries[0]?.configValue).toBe("3600000");
});

test("a letter whose publication is cut off comes again, and two publishers keep the order", async () => {
  const system = await world();
  const { topic, write, log } = system;
  let cuts = 0;
  const cutting = {
    ensureTopic: log.ensureTopic.bind(log),
    topics: log.topics.bind(log),
    append: async (appends: Parameters<typeof log.append>[0]) => {
      const ranges = await log.append(appends);
      cuts += 1;
      if (cuts % 3 === 0) throw new TransientError("kafka", "The answer is lost.");
      return ranges;
    },
  };
  const many = Array.from({ length: 60 }, (_, of) =>
    deadLetter("shelf", { topic, offset: offset(of), key: Buffer.from(`k${of}`) }),
  );
  await using _one = publishing(system, { log: cutting, lettersMax: 5 });
  await using _two = publishing(system, { log: cutting, lettersMax: 7 });
  for (let at = 0; at < many.length; at += 10) await write(many.slice(at, at + 10));
  const seen = async (): Promise<readonly number[]> => {
    const all = await told(log, topic).catch(() => []);
    return all.map(({ headers }) => Number(headers["__refold.letter.id"]));
  };
  await expect
    .poll(async () => new Set(await seen()).size, { timeout: 30_000, interval: 50 })
    .toBe(60);
  const ids = await seen();
  // What comes again goes back to where it was cut off; nothing is passed by.
  const firsts = ids.filter((id, at) => ids.indexOf(id) === at);
  expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
  expect(cuts).toBeGreaterThan(3);
});

test("a value that the broker would refuse is left out, and its size is told", async () => {
  const system = await world();
  await using _ = publishing(system);
  const value = Buffer.alloc(2_000_000, 7);
  await system.write([deadLetter("shelf", { topic: system.topic, value })]);
  const [one] = await untilTold(system, 1);
  expect(one?.value).toBeUndefined();
  expect(one?.headers["__refold.letter.value-bytes"]).toBe("2000000");
});
