import { expect, test } from "vitest";

import { untilAtWork } from "../../bin/system/until-at-work.ts";

async function waitedMs(
  says: { readonly appliedAfter: number; readonly currentAfter: number },
  afterFirstMs: number,
): Promise<number> {
  const beganMs = performance.now();
  const sinceMs = (): number => performance.now() - beganMs;
  await untilAtWork(
    {
      applied: () => sinceMs() >= says.appliedAfter,
      caughtUp: () => sinceMs() >= says.currentAfter,
    },
    afterFirstMs,
  );
  return sinceMs();
}

test("waits for nothing where nothing runs, or all is applied", async () => {
  await untilAtWork(undefined, 10_000);
  expect(await waitedMs({ appliedAfter: Infinity, currentAfter: 0 }, 10_000)).toBeLessThan(1_000);
});

test("waits until all is applied, also where the first record comes late", async () => {
  const ms = await waitedMs({ appliedAfter: 100, currentAfter: 200 }, 10_000);
  expect(ms).toBeGreaterThanOrEqual(200);
  expect(ms).toBeLessThan(2_000);
});

test("waits no longer than it is told to behind the first record, whatever the log holds", async () => {
  const ms = await waitedMs({ appliedAfter: 100, currentAfter: Infinity }, 50);
  expect(ms).toBeGreaterThanOrEqual(140);
  expect(ms).toBeLessThan(2_000);
});

test("waits for the first record for five seconds at most: others may have all partitions", async () => {
  const ms = await waitedMs({ appliedAfter: Infinity, currentAfter: Infinity }, 50);
  expect(ms).toBeGreaterThanOrEqual(5_000);
  expect(ms).toBeLessThan(8_000);
});
