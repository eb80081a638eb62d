import * as fc from "fast-check";
import { expect, test } from "vitest";

import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { noMetrics, type Labels } from "../../engine/ports/metrics.ts";
import { offset } from "../../engine/position.ts";
import { Monitor } from "../../engine/runner/monitor.ts";

const topic = "events";
const intervalMs = 1_000;

/** A reader's place, moved by the test as a task would, or not at all. */
class Place {
  readonly name = `${topic}/0`;
  readonly topic = topic;
  readonly partition = 0;
  readonly state = "running";
  records = 0;
  lastRecordedAtMs: number | undefined;
  committed: { nextOffset: bigint } | undefined;

  apply(upTo: number, recordedAtMs: number | undefined): void {
    this.records = upTo;
    this.committed = { nextOffset: offset(upTo) };
    this.lastRecordedAtMs = recordedAtMs;
  }
}

/** A log, a reader and the monitor's figures of it. */
class Stage {
  readonly clock = new ManualClock();
  readonly log = new MemoryRecordLog();
  readonly place = new Place();
  readonly told = new Map<string, number>();
  readonly recordedAtMs: number[] = [];
  readonly #monitor: Monitor;

  constructor() {
    const gauge = (name: string, value: number, labels: Labels = {}): void => {
      if ("partition" in labels) this.told.set(name, value);
    };
    const drop = (name: string): void => void this.told.delete(name);
    const task = { name: "board", partitions: [this.place] };
    const duty = { role: "serving" } as const;
    const watched = { kind: "projection", generation: 1, topics: [topic], duty } as const;
    this.#monitor = new Monitor({
      watched: () => [
        {
          ...watched,
          task: task as never,
          consumer: { heldMs: 0, arrived: true, failure: undefined },
          after: undefined,
        },
      ],
      log: this.log,
      clock: this.clock,
      metrics: { ...noMetrics, gauge, drop },
      statusBoard: undefined,
      instance: "test",
      intervalMs,
      signal: new AbortController().signal,
    });
  }

  async append(count: number): Promise<void> {
    const timestampMs = this.clock.nowMs();
    const record = { timestampMs, key: null, value: null, headers: [] };
    const records = Array.from({ length: count }, () => record);
    if (count > 0) await this.log.append([{ topic, partition: 0, records }]);
    for (const _ of records) this.recordedAtMs.push(timestampMs);
  }

  look(): Promise<void> {
    return this.#monitor.look();
  }
}

const steps = fc.array(
  fc.record({
    appended: fc.nat(4),
    applied: fc.nat(6),
    afterMs: fc.integer({ min: 1, max: 1_000 }),
  }),
  { maxLength: 40 },
);

test("lag agrees with an oracle whatever is appended, applied or left alone", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (moves) => {
      const stage = new Stage();
      await stage.log.ensureTopic({ name: topic, partitions: 1 });
      await stage.look();
      let applied = 0;
      for (const { appended, applied: more, afterMs } of moves) {
        stage.clock.advance(afterMs);
        await stage.append(appended);
        applied = Math.min(applied + more, stage.recordedAtMs.length);
        stage.place.apply(applied, stage.recordedAtMs[applied - 1]);
        await stage.look();
        const firstLeft = stage.recordedAtMs[applied];
        const seconds = stage.told.get("lag_seconds") ?? Number.NaN;
        expect(stage.told.get("lag_records")).toBe(stage.recordedAtMs.length - applied);
        if (firstLeft === undefined) expect(seconds).toBe(0);
        else {
          const waitedMs = stage.clock.nowMs() - firstLeft;
          expect(seconds).toBeGreaterThan(0);
          // The time since the record before it was recorded is the most that is told too much.
          const atMostMs = stage.clock.nowMs() - (stage.recordedAtMs[applied - 1] ?? firstLeft);
          // Whole milliseconds, which seconds in binary needn't give back.
          const toldMs = Math.round(seconds * 1_000);
          expect(toldMs).toBeGreaterThanOrEqual(waitedMs);
          expect(toldMs).toBeLessThanOrEqual(Math.max(atMostMs, waitedMs, 1));
        }
      }
    }),
  );
});

test("a reader that has died shows a lag that grows, never none", async () => {
  const stage = new Stage();
  await stage.log.ensureTopic({ name: topic, partitions: 1 });
  await stage.look();
  await stage.append(3);
  const told: number[] = [];
  for (let second = 0; second < 5; second++) {
    stage.clock.advance(intervalMs);
    await stage.look();
    told.push(stage.told.get("lag_seconds") ?? 0);
  }
  expect(told).toEqual([1, 2, 3, 4, 5]);
});
