import { expect, it } from "vitest";

import type { CommandExecutor } from "../../api/index.ts";
import { CommandCounts } from "../../api/live/command-counts.ts";

/** Answers with the given results, one after the other. */
const answering = (...results: readonly object[]): CommandExecutor => {
  const left = [...results];
  return { execute: async () => left.shift() as never };
};

const accepted = { outcome: "accepted", answer: {}, recorded: [], recordedAtMs: 0 };
const refused = (code: string) => ({ outcome: "refused", refusal: { code }, recordedAtMs: 0 });
const call = undefined as never;

it("knows no rates before a second look", () => {
  expect(new CommandCounts().rates(1_000)).toEqual({
    acceptedPerSecond: null,
    refusedPerSecond: null,
    refusals: {},
    turnedAwayPerSecond: null,
  });
});

it("tells what was accepted, refused by reason and turned away per second between two looks", async () => {
  const counts = new CommandCounts();
  const full = refused("module-full");
  const decider = counts.counting(answering(full, accepted, accepted, full, refused("closed")));
  await decider.execute(call, call);
  counts.rates(10_000);
  for (let i = 0; i < 4; i += 1) await decider.execute(call, call);
  counts.turnedAway();
  expect(counts.rates(12_000)).toEqual({
    acceptedPerSecond: 1,
    refusedPerSecond: 1,
    refusals: { "module-full": 0.5, closed: 0.5 },
    turnedAwayPerSecond: 0.5,
  });
  expect(counts.rates(13_000)).toMatchObject({ acceptedPerSecond: 0, refusals: {} });
});

it("measures from nothing of the time in which nobody looked", async () => {
  const counts = new CommandCounts();
  counts.rates(0);
  await counts.counting(answering(accepted)).execute(call, call);
  counts.forget();
  expect(counts.rates(60_000)).toMatchObject({ acceptedPerSecond: null });
});
