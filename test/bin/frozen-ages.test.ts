import { expect, onTestFinished, test } from "vitest";

import { FrozenAges } from "../../bin/system/frozen-ages.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { offset } from "../../engine/position.ts";
import { realClock } from "../engine/process.ts";

const nowMs = 1_000_000;
const projections = [{ name: "seats", version: 2 }];

/** A log of two partitions, of which a generation has applied so many records each. */
async function frozenOfTest(
  applied: readonly number[],
  { version, isWorkedOn }: { readonly version: number; readonly isWorkedOn: boolean },
) {
  const log = new MemoryRecordLog();
  await log.ensureTopic({ name: "modules", partitions: 2 });
  const recordAt = (timestampMs: number) => ({ timestampMs, key: null, value: null, headers: [] });
  for (const partition of [0, 1]) {
    const records = [100, 200, 300].map((agoMs) => recordAt(nowMs - 1_000 * partition - agoMs));
    await log.append([{ topic: "modules", partition, records: records.toReversed() }]);
  }
  const serving = {
    projection: "seats",
    generation: 1,
    version,
    serving: true,
    role: "serving",
    columns: {},
    createdAtMs: 0,
    rebuild: undefined,
    keptUntilMs: undefined,
  } as const;
  const positions = applied.map((records, partition) => ({
    topic: "modules",
    partition,
    position: { logId: "log", nextOffset: offset(records), source: undefined as never },
    lastRecordedAtMs: undefined,
  }));
  const looks = { count: 0 };
  const ages = new FrozenAges({
    generations: {
      list: async () => {
        looks.count += 1;
        return [serving];
      },
    },
    reader: { positions: async () => positions },
    log,
    projections,
    isWorkedOn: async () => isWorkedOn,
    clock: { ...realClock, nowMs: () => nowMs, sleep: () => realClock.sleep(1) },
    report: () => undefined,
  });
  onTestFinished(async () => {
    await ages[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
  });
  return { ages, looks };
}

test("what serves without its code is as old as the first record that it lacks", async () => {
  const { ages } = await frozenOfTest([2, 1], { version: 1, isWorkedOn: false });
  await expect.poll(() => ages.ageMs("seats")).toBe(1_200);
});

test("what serves without its code and has every record is of now", async () => {
  const { ages } = await frozenOfTest([3, 3], { version: 1, isWorkedOn: false });
  await expect.poll(() => ages.ageMs("seats")).toBe(0);
});

test.each([
  { version: 1, isWorkedOn: true },
  { version: 2, isWorkedOn: false },
])(
  "nothing is told of a generation that is kept by somebody, or is of this code: %j",
  async (of) => {
    const { ages, looks } = await frozenOfTest([2, 1], of);
    await expect.poll(() => looks.count).toBeGreaterThan(2);
    expect(ages.ageMs("seats")).toBeUndefined();
  },
);
