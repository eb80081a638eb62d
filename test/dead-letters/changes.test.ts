import { expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import { MemoryAssignment } from "../../engine/memory/assignment.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { RowChange } from "../../engine/ports/codec.ts";
import { defineTableProjection } from "../../engine/projection.ts";
import { run } from "../../engine/runner/run.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import type { TaskLimits } from "../../engine/task/limits.ts";
import { defineChangeTopic } from "../../engine/topic.ts";
import { realClock, realRandom, until } from "../engine/process.ts";

interface Row {
  readonly id: number;
  readonly title: string;
}

const record = { type: "record", name: "Value", fields: [] } as const;
const things = defineChangeTopic<Row, { readonly id: number }>({
  name: "db.things",
  partitions: 1,
  table: "public.things",
  row: record,
  key: record,
});

const fold = { mended: false };

/** Counts what was applied to a row: a copy that is taken for new shows. */
const shelf = defineTableProjection({
  name: "shelf",
  version: 1,
  from: things,
  row: { id: integer(), title: text(), times: integer() },
  key: ({ id }) => String(id),
  on: {
    upsert: (row, { id, title }) => {
      if (title === "bad" && !fold.mended) throw new RangeError("It is bad.");
      return { id, title, times: (row?.times ?? 0) + 1 };
    },
    delete: () => undefined,
  },
});

/** An insert or update that is a transaction of its own. */
const change = (at: number, op: "c" | "u", after: Row): RowChange => ({
  op,
  before: null,
  after,
  sourceTimestampMs: 1,
  commitLsn: BigInt(at * 10),
  order: 1,
  transactionId: `t${at}`,
  snapshot: false,
});

async function stage(limits: Partial<TaskLimits> = {}) {
  fold.mended = false;
  const codec = new JsonCodec();
  const log = new MemoryRecordLog();
  await log.ensureTopic({ name: things.name, partitions: 1 });
  const deadLetters = new MemoryDeadLetters();
  const readModels = new MemoryReadModelStore({ deadLetters });
  const append = async (changes: readonly RowChange[]) => {
    const records = changes.map((one) => ({
      timestampMs: 1,
      key: Buffer.from(String(one.after && (one.after as Row).id)),
      value: codec.encodeChange(things, one),
      headers: [],
    }));
    await log.append([{ topic: things.name, partition: 0, records }]);
  };
  const timesOf = async (key: string): Promise<unknown> => {
    const generation = await readModels.open(readModelOf(shelf));
    return (await readModels.load(generation, [key])).get(key)?.["times"];
  };
  const start = () =>
    run({
      projections: [shelf],
      log,
      readModels,
      deadLetters,
      assignment: new MemoryAssignment(),
      codec,
      clock: realClock,
      random: realRandom,
      lettersPollMs: 5,
      recoverAfterMs: 50,
      limits: { lingerMs: 1, ...limits },
    });
  return { append, timesOf, start, deadLetters };
}

const redrive = { action: "redrive", by: "a test", reason: undefined } as const;
const bad = change(1, "c", { id: 1, title: "bad" });
const good = change(2, "u", { id: 1, title: "good" });

test("copies of changes that were set aside are known, and redriving applies each change once", async () => {
  const { append, timesOf, start, deadLetters } = await stage();
  // The source sent the two again, after a crash of its own.
  await append([bad, good, bad, good, change(3, "c", { id: 2, title: "other" })]);
  await using runner = await start();
  await until("another key goes on", async () => (await timesOf("2")) === 1);
  const letters = await deadLetters.list({ limit: 9 });
  expect(letters.map(({ disposition, source }) => [disposition, source])).toEqual([
    ["failed", { kind: "change", commitLsn: 10n, order: 1 }],
    ["waiting", { kind: "change", commitLsn: 20n, order: 1 }],
  ]);
  fold.mended = true;
  await deadLetters.order({ letters: {}, ...redrive });
  await until("both are applied", async () => (await timesOf("1")) === 2);
  await append([bad, good, change(4, "u", { id: 1, title: "last" })]);
  await until("the next one is applied", async () => (await timesOf("1")) === 3);
  expect(runner.health()[0]).toMatchObject({ state: "running", parkedKeys: 0 });
});

test("a change that there was no room for is no copy of itself when there is", async () => {
  const { append, timesOf, start, deadLetters } = await stage({ waitingLettersMax: 1 });
  const more = [3, 4, 5].map((at) => change(at, "u", { id: 1, title: `t${at}` }));
  await append([bad, good, ...more]);
  await using runner = await start();
  await until("it halts", () => runner.health()[0]?.state === "halted");
  // An order is for letters that are stored.
  await until("two are set aside", async () => (await deadLetters.list({ limit: 9 })).length === 2);
  expect(runner.health()[0]?.reasons[0]).toContain("waiting-letters");
  fold.mended = true;
  await deadLetters.order({ letters: {}, ...redrive });
  await until("all five are applied", async () => (await timesOf("1")) === 5);
});
