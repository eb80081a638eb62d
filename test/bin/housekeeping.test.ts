import { setImmediate as turn } from "node:timers/promises";

import { expect, test } from "vitest";

import { keepHouse } from "../../bin/system/housekeeping.ts";
import { ManualClock } from "../../engine/memory/clock.ts";

const everyMs = 500;

/** Rounds of a chore that fails as it is told to, one after the other; what is reported of them. */
async function reports(outcomes: readonly (string | undefined)[]): Promise<string[]> {
  const clock = new ManualClock();
  const told: string[] = [];
  const left = [...outcomes];
  const run = async () => {
    const failure = left.shift();
    if (failure !== undefined) throw new Error(failure);
  };
  const chores = [{ name: "Sweeping", run }];
  await using _house = keepHouse({ clock, everyMs, chores, report: (text) => told.push(text) });
  await turn();
  while (left.length > 0) {
    clock.advance(everyMs);
    await turn();
  }
  return told;
}

test("a chore that fails says so, and when it works again", async () => {
  expect(await reports([undefined, "no broom", undefined, undefined])).toEqual([
    "Sweeping failed and is tried again: no broom",
    "Sweeping works again: it had failed once.",
  ]);
});

test("what goes on failing is told each minute, and at once where it fails otherwise", async () => {
  const minute = Array.from({ length: 60_000 / everyMs }, () => "no broom");
  expect(await reports([...minute, "no broom", "no hands", undefined])).toEqual([
    "Sweeping failed and is tried again: no broom",
    "Sweeping failed and is tried again (121 times so far): no broom",
    "Sweeping failed and is tried again (122 times so far): no hands",
    "Sweeping works again: it had failed 122 times.",
  ]);
});
