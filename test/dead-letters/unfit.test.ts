import { expect, test } from "vitest";

import { integer } from "../../engine/columns.ts";
import { RecordError, TransientError } from "../../engine/errors.ts";
import { MemoryAssignment } from "../../engine/memory/assignment.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { EventCodec, EventReader } from "../../engine/ports/codec.ts";
import type { NewEvent } from "../../engine/ports/event-store.ts";
import type { ReadModelFlush } from "../../engine/ports/read-model-store.ts";
import { defineProjection } from "../../engine/projection.ts";
import { run } from "../../engine/runner/run.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import type { TaskLimits } from "../../engine/task/limits.ts";
import { happened } from "../../engine/testing/given.ts";
import { JsonCodec, Journal } from "../../engine/testing/index.ts";
import type { AnyEventType, EventTopic } from "../../engine/topic.ts";
import { realClock, realRandom, until } from "../engine/process.ts";
import { Changed, changes, counters, Moved } from "../engine/seats.ts";

const sums = defineProjection({
  name: "sums",
  version: 1,
  from: counters,
  row: { sum: integer() },
  key: "code",
  on: { Opened: "ignore", Moved: (row, e) => ({ sum: (row?.sum ?? 0) + e.by }), Closed: "ignore" },
  notify: {
    to: changes,
    type: Changed,
    event: (row, _, { key }) => ({ code: key, held: row?.sum ?? 0 }),
  },
});

class StoreInTrouble extends MemoryReadModelStore {
  isAway = false;
  losesAnswers = false;

  override async flush(flush: ReadModelFlush): Promise<void> {
    if (this.isAway) throw new TransientError("database-unavailable", "The database is away.");
    await super.flush(flush);
    if (!this.losesAnswers || !flush.settlements?.length) return;
    this.losesAnswers = false;
    throw new TransientError("outcome-unknown", "The answer was lost.");
  }
}

interface Parts {
  readonly codec?: EventCodec;
  readonly json?: JsonCodec;
  readonly limits?: Partial<TaskLimits>;
}

async function stage({ json = new JsonCodec(), codec = json, limits = {} }: Parts = {}) {
  const log = new MemoryRecordLog();
  const journal = new Journal({ log, codec: json });
  await journal.open(counters);
  await json.prepare(changes);
  const deadLetters = new MemoryDeadLetters();
  const notices: NewEvent[] = [];
  const onNotices = (more: readonly NewEvent[]): void => void notices.push(...more);
  const readModels = new StoreInTrouble({ deadLetters, onNotices });
  const start = () =>
    run({
      projections: [sums],
      log,
      readModels,
      deadLetters,
      assignment: new MemoryAssignment(),
      codec,
      clock: realClock,
      random: realRandom,
      lettersPollMs: 5,
      recoverAfterMs: 20,
      limits: { lingerMs: 1, backoff: { initialMs: 1, maxMs: 2, attemptsMax: 3 }, ...limits },
    });
  const moved = (code: string, by: number) => happened(Moved, { code, by });
  const append = (...moves: readonly (readonly [string, number])[]) =>
    journal.append(
      counters,
      moves.map(([code, by]) => moved(code, by)),
    );
  const sumOf = async (key: string): Promise<unknown> => {
    const generation = await readModels.open(readModelOf(sums));
    return (await readModels.load(generation, [key])).get(key)?.["sum"];
  };
  return { start, append, sumOf, deadLetters, readModels, notices };
}

/** Refuses to encode a notice whose value is 13, as Avro does a field that doesn't fit. */
class StrictCodec extends JsonCodec {
  isStrict = true;

  override encode(topic: EventTopic, type: AnyEventType, event: unknown): Buffer {
    if (this.isStrict && (event as { held?: number }).held === 13) {
      throw new RecordError("encode", "Thirteen doesn't fit.");
    }
    return super.encode(topic, type, event);
  }
}

const redrive = { action: "redrive", by: "a test", reason: undefined } as const;

test("a notice that can't be made sets the record aside that made its row so, and no other", async () => {
  const json = new StrictCodec();
  const { start, append, sumOf, deadLetters, notices } = await stage({ json });
  await append(["a", 6], ["b", 1], ["a", 7], ["c", 2]);
  await using runner = await start();
  await until("the others are applied", async () => (await sumOf("c")) === 2);
  await until("a's first is applied", async () => (await sumOf("a")) === 6);
  const letters = await deadLetters.list({ limit: 9 });
  expect(letters).toMatchObject([
    { disposition: "failed", cause: "notice-invalid", key: Buffer.from("a") },
  ]);
  expect(runner.health()[0]).toMatchObject({ state: "running", parkedKeys: 1, reasons: [] });
  await deadLetters.order({ letters: {}, ...redrive });
  await until("it fails again", async () => (await deadLetters.find(1n))?.attempts === 2);
  await append(["a", 1]);
  await until("the next one waits", async () => (await deadLetters.list({ limit: 9 })).length > 1);
  json.isStrict = false;
  await deadLetters.order({ letters: {}, ...redrive });
  await until("it is applied in its order", async () => (await sumOf("a")) === 14);
  expect(notices.filter(({ key }) => key === "a")).toHaveLength(2);
  expect(runner.health()[0]).toMatchObject({ parkedKeys: 0 });
});

test("a letter whose answer to the redrive was lost is applied once", async () => {
  const json = new StrictCodec();
  const { start, append, sumOf, deadLetters, readModels } = await stage({ json });
  await using runner = await start();
  await append(["a", 13]);
  await until("it is set aside", async () => (await deadLetters.find(1n)) !== undefined);
  json.isStrict = false;
  readModels.losesAnswers = true;
  await deadLetters.order({ letters: {}, ...redrive });
  await until("its key goes on", () => runner.health()[0]?.parkedKeys === 0);
  await append(["a", 1]);
  await until("the next one is applied", async () => (await sumOf("a")) === 14);
  expect(readModels.losesAnswers).toBe(false);
  expect(await deadLetters.find(1n)).toMatchObject({ disposition: "redriven", attempts: 2 });
});

test("a partition that has halted for too many letters goes on when they are settled", async () => {
  const json = new StrictCodec();
  const limits = { waitingLettersMax: 1 };
  const { start, append, sumOf, deadLetters } = await stage({ json, limits });
  await using runner = await start();
  await append(["a", 13]);
  await until("it is set aside", async () => (await deadLetters.find(1n)) !== undefined);
  await append(["a", 1], ["a", 2], ["a", 3]);
  await until("it halts", () => runner.health()[0]?.state === "halted");
  expect(runner.health()[0]?.reasons[0]).toContain("waiting-letters");
  expect(await sumOf("a")).toBeUndefined();
  json.isStrict = false;
  await deadLetters.order({ letters: {}, ...redrive });
  await until("all are applied", async () => (await sumOf("a")) === 19);
  await until("it runs", () => runner.health()[0]?.state === "running");
});

test("a store that is away sends nothing to the dead letters, halts, and is tried again", async () => {
  const { start, append, sumOf, deadLetters, readModels } = await stage();
  await using runner = await start();
  readModels.isAway = true;
  await append(["a", 6], ["b", 1]);
  await until("it halts", () => runner.health()[0]?.state === "halted");
  expect(runner.health()[0]?.reasons[0]).toContain("database-unavailable");
  readModels.isAway = false;
  await until("both are applied", async () => (await sumOf("a")) === 6 && (await sumOf("b")) === 1);
  await until("it runs", () => runner.health()[0]?.state === "running");
  expect(await deadLetters.list({ limit: 9 })).toEqual([]);
});

/** A registry that can't be reached: no schema is known, and none can be learnt. */
class UnreachableRegistry implements EventCodec {
  isAway = true;
  readonly #codec: JsonCodec;

  constructor(codec: JsonCodec) {
    this.#codec = codec;
  }

  events(types: readonly AnyEventType[]): EventReader {
    const reader = this.#codec.events(types);
    return {
      known: (id) => (this.isAway ? undefined : reader.known(id)),
      learn: async (id) => {
        if (this.isAway) throw new TransientError("registry-unavailable", "No registry.");
        return reader.learn(id);
      },
    };
  }

  prepare(topic: EventTopic): Promise<void> {
    return this.#codec.prepare(topic);
  }

  encode(topic: EventTopic, type: AnyEventType, event: unknown): Uint8Array {
    return this.#codec.encode(topic, type, event);
  }

  changes(): never {
    throw new Error("No changes here.");
  }
}

test("a registry that is away sends nothing to the dead letters, halts, and is tried again", async () => {
  const json = new JsonCodec();
  const codec = new UnreachableRegistry(json);
  const { start, append, sumOf, deadLetters } = await stage({ json, codec });
  await using runner = await start();
  await append(["a", 6], ["b", 1]);
  await until("it halts", () => runner.health()[0]?.state === "halted");
  expect(runner.health()[0]?.reasons[0]).toContain("registry-unavailable");
  codec.isAway = false;
  await until("both are applied", async () => (await sumOf("a")) === 6 && (await sumOf("b")) === 1);
  expect(await deadLetters.list({ limit: 9 })).toEqual([]);
});
