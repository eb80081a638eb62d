import { expect, test } from "vitest";

import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { TaskLimits } from "../../engine/task/limits.ts";
import { counters } from "../engine/seats.ts";
import { breaking, garbled, Trails } from "./trails.ts";

async function trailsOf(limits: Partial<TaskLimits> = {}, seed = 1): Promise<Trails> {
  const deadLetters = new MemoryDeadLetters();
  const store = new MemoryReadModelStore({ deadLetters });
  const large = { batchRecordsMax: 100, chunkRecordsMax: 100, hotRowsMax: 100, ...limits };
  const trails = new Trails({ deadLetters, store, seed, crashOneIn: 0, limits: large });
  await trails.open();
  return trails;
}

/** Two codes of one partition. */
const [first = "", second = ""] = "abcdefghijklmnopqrstuvwxyz"
  .split("")
  .filter((code) => partitionOf(code, counters.partitions) === 0);

test("a record doesn't wait for a later one of its key, decoded in the same chunk or not", async () => {
  const trails = await trailsOf();
  await trails.append([
    { code: first, by: breaking },
    { code: second, by: 1 },
    { code: second, by: garbled },
    { code: second, by: 2 },
  ]);
  await trails.work();
  expect(await trails.rows()).toEqual(new Map([[second, " 1"]]));
  // In order of the records, whichever of the two was met first.
  const failed = (await trails.letters("failed")).toSorted((a, b) =>
    a.offset < b.offset ? -1 : 1,
  );
  expect(failed.map(({ cause }) => cause)).toEqual(["fold", "unframed"]);
  expect(await trails.letters("waiting")).toHaveLength(1);
});

test("letters that fill more than a chunk are redriven in several flushes, in order", async () => {
  const trails = await trailsOf({ chunkRecordsMax: 3 });
  const by = [breaking, 1, 2, 3, breaking, 4, 5, 6, 7, 8];
  await trails.append(by.map((one) => ({ code: first, by: one })));
  await trails.work();
  expect(await trails.rows()).toEqual(new Map());
  trails.fold.mended = true;
  await trails.ask("redrive", 0);
  await trails.work();
  expect(await trails.rows()).toEqual(new Map([[first, ` ${by.join(" ")}`]]));
});

test("a discard lets the key go on after the letter; with what is parked, after all of it", async () => {
  const trails = await trailsOf();
  const poisoned = [first, second].flatMap((code) => [
    { code, by: garbled },
    { code, by: 1 },
  ]);
  await trails.append(poisoned);
  await trails.work();
  const [one, other] = await trails.letters("failed");
  expect(one?.key).toEqual(Buffer.from(first));
  await trails.ask("discard", 0);
  await trails.work();
  expect(await trails.rows()).toEqual(new Map([[first, " 1"]]));
  await trails.ask("discard-with-parked", 0);
  await trails.work();
  await trails.append([{ code: second, by: 2 }]);
  await trails.work();
  expect(await trails.rows()).toEqual(
    new Map([
      [first, " 1"],
      [second, " 2"],
    ]),
  );
  const discarded = await trails.letters("discarded");
  expect(discarded.map(({ id, reason }) => [id, reason])).toEqual([
    [one?.id, "A test."],
    [other?.id, "A test."],
    [(other?.id ?? 0n) + 1n, "A test."],
  ]);
});

test("nothing is set aside from the record on that halts its partition", async () => {
  let taken = 0;
  for (let seed = 1; seed <= 20; seed += 1) {
    const trails = await trailsOf({ failedLettersMax: 1 }, seed);
    await trails.append([
      { code: first, by: breaking },
      { code: first, by: garbled },
      { code: second, by: breaking },
      { code: second, by: garbled },
    ]);
    await trails.work();
    const [partition] = trails.task.partitions;
    expect(partition).toMatchObject({ partition: 0, state: "halted", recovery: "letters" });
    const next = partition?.committed?.nextOffset ?? 0n;
    const letters = [...(await trails.letters("failed")), ...(await trails.letters("waiting"))];
    expect(letters.filter((letter) => letter.offset >= next)).toEqual([]);
    expect(partition?.parked.letters).toBe(letters.length);
    // With all four in one chunk the first garbled one takes the only place before any is folded.
    if (letters.length === 0) taken += 1;
  }
  expect(taken).toBeGreaterThan(0);
});
