import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  integer,
  nat,
  oneof,
  record,
} from "fast-check";
import { expect, test } from "vitest";

import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { breaking, garbled, Trails } from "./trails.ts";

const move = record({
  code: constantFrom("a", "b", "c", "d", "ü"),
  by: oneof(
    { weight: 8, arbitrary: integer({ min: 1, max: 9 }) },
    { weight: 2, arbitrary: constantFrom(breaking) },
    { weight: 1, arbitrary: constantFrom(garbled) },
  ),
});

const step = oneof(
  { weight: 4, arbitrary: record({ kind: constantFrom("append"), moves: array(move) }) },
  { weight: 3, arbitrary: record({ kind: constantFrom("work") }) },
  { weight: 1, arbitrary: record({ kind: constantFrom("mend", "break") }) },
  {
    weight: 4,
    arbitrary: record({
      kind: constantFrom("redrive", "redrive", "discard", "discard-with-parked"),
      which: nat(20),
    }),
  },
);

type Step = typeof step extends { filter: unknown }
  ? Parameters<Parameters<(typeof step)["filter"]>[0]>[0]
  : never;

async function take(trails: Trails, one: Step): Promise<void> {
  if ("moves" in one) return trails.append(one.moves);
  if ("which" in one) return trails.ask(one.kind, one.which);
  if (one.kind === "work") return trails.work();
  trails.fold.mended = one.kind === "mend";
}

test("letters end as if their records had come late for their own keys, whatever happens", async () => {
  let crashes = 0;
  let letters = 0;
  await assert(
    asyncProperty(array(step, { maxLength: 25 }), integer(), async (steps, seed) => {
      const deadLetters = new MemoryDeadLetters();
      const store = new MemoryReadModelStore({ deadLetters });
      const trails = new Trails({ deadLetters, store, seed, crashOneIn: 25 });
      await trails.open();
      for (const one of steps) await take(trails, one);
      await trails.work();
      expect(await trails.rows()).toEqual(
        await trails.expected(["failed", "waiting", "discarded"]),
      );
      await trails.settleAll();
      expect(await trails.letters("waiting")).toEqual([]);
      expect(await trails.rows()).toEqual(await trails.expected(["discarded"]));
      for (const { parked } of trails.task.partitions) expect(parked.letters).toBe(0);
      crashes += trails.crashes;
      letters += (await deadLetters.list({ limit: 10_000 })).length;
    }),
    { numRuns: 250 },
  );
  // Otherwise nothing of this was tried.
  expect(crashes).toBeGreaterThan(150);
  expect(letters).toBeGreaterThan(300);
});
