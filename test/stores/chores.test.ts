import { expect, test } from "vitest";

import { startHousekeeping } from "../../bin/system/chores.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryIdempotencyKeys } from "../../engine/memory/idempotency-keys.ts";
import { once } from "../conformance/alongside-subject.ts";

const hourMs = 60 * 60 * 1_000;

test("answers under clients' keys are forgotten after a day", async () => {
  const clock = new ManualClock(Date.now() - 25 * hourMs);
  const idempotencyKeys = new MemoryIdempotencyKeys({ clock });
  idempotencyKeys.keep([once("of yesterday")], new Map());
  clock.advance(2 * hourMs);
  idempotencyKeys.keep([once("of today")], new Map());
  const find = (key: string) => idempotencyKeys.find({ scope: "clients", key });
  const reported: string[] = [];
  await using house = startHousekeeping({
    stores: {
      idempotencyKeys,
      embeddedLog: undefined,
      sweep: async () => undefined,
      // Nothing here has a topic of notices.
      pool: undefined as never,
    },
    definitions: { projections: [] },
    report: (message) => reported.push(message),
  });
  await expect.poll(() => find("of yesterday")).toBeUndefined();
  expect(await find("of today")).toMatchObject({ state: "answered" });
  await house[Symbol.asyncDispose]();
  expect(reported).toEqual([]);
});
