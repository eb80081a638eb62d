import { expect, test } from "vitest";

import { type Patience, untilAtWork } from "../../bin/system/until-at-work.ts";

async function waitedMs(
  says: { readonly appliedAfter: number; readonly currentAfter: number },
  patience: Patience,
): Promise<number> {
  const beganMs = performance.now();
  const sinceMs = (): number => performance.now() - beganMs;
  await untilAtWork(
    {
      applied: () => sinceMs() >= says.appliedAfter,
      caughtUp: () => sinceMs() >= says.currentAfter,
    },
    patience,
  );
  return sinceMs();
}

const patient: Patience = { firstMs: 10_000, restMs: 10_000 };

test("waits for nothing where nothing runs, or all is applied", async () => {
  await untilAtWork(undefined, patient);
  expect(await waitedMs({ appliedAfter: Infinity, currentAfter: 0 }, patient)).toBeLessThan(1_000);
});

test("waits until all is applied, also where the first record comes late", async () => {
  const ms = await waitedMs({ appliedAfter: 100, currentAfter: 200 }, patient);
  expect(ms).toBeGreaterThanOrEqual(200);
  expect(ms).toBeLessThan(2_000);
});

test("waits no longer than it is told to behind the first record, whatever the log holds", async () => {
  const ms = await waitedMs(
    { appliedAfter: 100, currentAfter: Infinity },
    { ...patient, restMs: 50 },
  );
  expect(ms).toBeGreaterThanOrEqual(140);
  expect(ms).toBeLessThan(2_000);
});

test("waits no longer than it is told to for a first record: others may have all partitions", async () => {
  const patience = { firstMs: 100, restMs: 10_000 };
  const ms = await waitedMs({ appliedAfter: Infinity, currentAfter: Infinity }, patience);
  expect(ms).toBeGreaterThanOrEqual(100);
  expect(ms).toBeLessThan(2_000);
});
