import { expect, test } from "vitest";

import { integer } from "../../engine/columns.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import { defineProjection } from "../../engine/projection.ts";
import { run } from "../../engine/runner/run.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import type { ReadModelFlush } from "../../engine/ports/read-model-store.ts";
import type { TaskLimits } from "../../engine/task/limits.ts";
import { FencedError } from "../../engine/errors.ts";
import { happened } from "../../engine/testing/given.ts";
import { JsonCodec, Journal } from "../../engine/testing/index.ts";
import { realClock, realRandom, ScriptedAssignment, until } from "./process.ts";
import { counters, Moved, Opened } from "./seats.ts";

const sums = (onRecordError: "park" | "halt") =>
  defineProjection({
    name: "sums",
    version: 1,
    from: counters,
    row: { sum: integer() },
    key: "code",
    onRecordError,
    on: {
      Opened: "ignore",
      Moved: (row, e) => {
        if (e.by === 13) throw new RangeError("Thirteen can't be added.");
        return { sum: (row?.sum ?? 0) + e.by };
      },
      Closed: "ignore",
    },
  });

async function started(
  onRecordError: "park" | "halt",
  more: Partial<TaskLimits> & { readonly store?: typeof MemoryReadModelStore } = {},
) {
  const { store: Store = MemoryReadModelStore, ...limits } = more;
  const log = new MemoryRecordLog();
  const codec = new JsonCodec();
  const journal = new Journal({ log, codec });
  await journal.open(counters);
  const moves = [1, 13, 2, 3].map((by) => happened(Moved, { code: "a", by }));
  const others = ["b", "c", "d", "e", "f"].map((code) => happened(Moved, { code, by: 5 }));
  await journal.append(counters, [happened(Opened, { code: "a", size: 1 }), ...moves, ...others]);
  const letters = new MemoryDeadLetters();
  const readModels = new Store({ deadLetters: letters });
  const projection = sums(onRecordError);
  const start = () =>
    run({
      projections: [projection],
      log,
      readModels,
      deadLetters: letters,
      assignment: new ScriptedAssignment(),
      codec,
      clock: realClock,
      random: realRandom,
      limits: { lingerMs: 1, waitingLettersMax: 10, ...limits },
    });
  const row = async (key: string) => {
    const generation = await readModels.open(readModelOf(projection));
    return (await readModels.load(generation, [key])).get(key);
  };
  return { start, row, letters, journal };
}

test("a record that fails parks its key: later ones wait behind it, other keys go on", async () => {
  const { start, row, letters, journal } = await started("park");
  await using runner = await start();
  await until("the others are applied", async () => (await row("f")) !== undefined);
  await until(
    "all three are set aside",
    async () => (await letters.list({ limit: 9 })).length === 3,
  );
  const found = await letters.list({ limit: 9 });
  expect(found.map(({ disposition, cause }) => `${disposition} ${cause}`)).toEqual([
    "failed fold",
    "waiting waiting",
    "waiting waiting",
  ]);
  expect(found[0]).toMatchObject({ consumer: "sums", topic: "counters", key: Buffer.from("a") });
  expect(found[0]?.stack).toContain("Thirteen");
  expect(await row("a")).toEqual({ sum: 1 });
  await runner.stop();
  await journal.append(counters, [happened(Moved, { code: "a", by: 4 })]);
  await using _again = await start();
  await until("it waits too", async () => (await letters.list({ limit: 9 })).length === 4);
  expect(await row("a")).toEqual({ sum: 1 });
});

test("a partition halts when more records wait than may", async () => {
  const { start, row, letters } = await started("park", { waitingLettersMax: 1 });
  await using runner = await start();
  await until("it halts", () => runner.health()[0]?.state === "halted");
  expect(runner.health()[0]?.reasons[0]).toContain("waiting-letters");
  await until("what came before is kept", async () => (await row("a")) !== undefined);
  await until("so are the letters", async () => (await letters.list({ limit: 9 })).length === 2);
});

test("a record that fails halts its partition where the definition says so", async () => {
  const { start, row, letters } = await started("halt");
  await using runner = await start();
  await until("it halts", () => runner.health()[0]?.state === "halted");
  await until("what came before is kept", async () => (await row("a")) !== undefined);
  expect(await row("a")).toEqual({ sum: 1 });
  expect(runner.health()[0]?.reasons[0]).toContain("Thirteen can't be added");
  expect(await letters.list({ limit: 9 })).toEqual([]);
});

test("a halted partition's other records don't keep the task busy", async () => {
  const { start, row } = await started("halt", { chunkRecordsMax: 1 });
  await using runner = await start();
  await until("it halts", () => runner.health()[0]?.state === "halted");
  await until("the other partitions go on", async () => (await row("f")) !== undefined);
  expect(await row("a")).toEqual({ sum: 1 });
});

test("what a lost batch had set aside is set aside anew, with its cause", async () => {
  class FencedOnce extends MemoryReadModelStore {
    fenced = false;
    override async flush(flush: ReadModelFlush): Promise<void> {
      if (!this.fenced && flush.deadLetters.length > 0) {
        this.fenced = true;
        const other = [0, 1, 2, 3].find((at) => at !== partitionOf("a", 4)) ?? 0;
        throw new FencedError([other], "Another writer was here.");
      }
      await super.flush(flush);
    }
  }
  const { start, letters } = await started("park", { store: FencedOnce, waitingLettersMax: 2 });
  await using runner = await start();
  await until("letters are kept", async () => (await letters.list({ limit: 9 })).length === 3);
  const found = await letters.list({ limit: 9 });
  expect(found.map(({ disposition }) => disposition)).toEqual(["failed", "waiting", "waiting"]);
  expect(runner.health()[0]?.reasons).toEqual([]);
});
