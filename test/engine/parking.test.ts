import { expect, test } from "vitest";

import { integer } from "../../engine/columns.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { defineProjection } from "../../engine/projection.ts";
import { run } from "../../engine/runner/run.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
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

async function started(onRecordError: "park" | "halt", waitingLettersMax = 10) {
  const log = new MemoryRecordLog();
  const codec = new JsonCodec();
  const journal = new Journal({ log, codec });
  await journal.open(counters);
  const moves = [1, 13, 2, 3].map((by) => happened(Moved, { code: "a", by }));
  const others = ["b", "c", "d", "e", "f"].map((code) => happened(Moved, { code, by: 5 }));
  await journal.append(counters, [happened(Opened, { code: "a", size: 1 }), ...moves, ...others]);
  const letters = new MemoryDeadLetters();
  const readModels = new MemoryReadModelStore({ deadLetters: letters });
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
      limits: { lingerMs: 1, waitingLettersMax },
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
  const { start, row, letters } = await started("park", 1);
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
