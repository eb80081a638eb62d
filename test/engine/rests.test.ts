import { setTimeout as sleep } from "node:timers/promises";

import { expect, onTestFinished, test } from "vitest";

import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { ReadModelFlush } from "../../engine/ports/read-model-store.ts";
import { run } from "../../engine/runner/run.ts";
import type { TaskLimits } from "../../engine/task/limits.ts";
import { happened } from "../../engine/testing/given.ts";
import { JsonCodec, Journal } from "../../engine/testing/index.ts";
import { realClock, realRandom, ScriptedAssignment, until } from "./process.ts";
import { board, counters, Opened } from "./seats.ts";

const flushMs = 30;

/** A store whose flushes take their time; remembers when each began and ended. */
class BusyStore extends MemoryReadModelStore {
  /** How much longer than it was a flush seems to the runner. */
  seemsLongerMs = 0;
  /** That the runner's clock is ahead. */
  aheadMs = 0;
  readonly flushes: { readonly beganMs: number; readonly endedMs: number }[] = [];

  /** Between its first flush and the next. */
  get restedMs(): number {
    const [first, second] = this.flushes;
    return (second?.beganMs ?? 0) - (first?.endedMs ?? 0);
  }

  override async flush(flush: ReadModelFlush): Promise<void> {
    const beganMs = performance.now();
    await sleep(flushMs);
    await super.flush(flush);
    this.aheadMs += this.seemsLongerMs;
    this.flushes.push({ beganMs, endedMs: performance.now() });
  }
}

async function stage(limits: Partial<TaskLimits>, busy = 0) {
  const log = new MemoryRecordLog();
  const codec = new JsonCodec();
  const journal = new Journal({ log, codec });
  await journal.open(counters);
  const store = new BusyStore();
  const runner = await run({
    projections: [board],
    log,
    readModels: store,
    assignment: new ScriptedAssignment(),
    codec,
    clock: { ...realClock, monotonicMs: () => performance.now() + store.aheadMs },
    random: realRandom,
    load: { busy: () => busy },
    limits: { lingerMs: 0, ...limits },
  });
  onTestFinished(() => runner.stop());
  const append = async (code: string) => {
    const before = store.flushes.length;
    await journal.append(counters, [happened(Opened, { code, size: 1 })]);
    await until("it is flushed", () => store.flushes.length > before);
  };
  return { store, append };
}

test("after a flush that took long, what comes waits, and goes together", async () => {
  const { store, append } = await stage({ restMaxMs: 10_000 });
  await append("a");
  await Promise.all(["b", "c", "d"].map(append));
  expect(store.flushes).toHaveLength(2);
  expect(store.restedMs).toBeGreaterThan(2.5 * flushMs);
});

test("in a process that is busy it waits longer", async () => {
  const { store, append } = await stage({ restMaxMs: 0, busyRestMaxMs: 10_000 }, 1);
  await append("a");
  await Promise.all(["b", "c"].map(append));
  expect(store.restedMs).toBeGreaterThan(7.5 * flushMs);
});

test("a batch that is full waits for nothing", async () => {
  const { store, append } = await stage({ restMaxMs: 600_000, batchRecordsMax: 1 });
  store.seemsLongerMs = 600_000;
  await append("a");
  const flushed = store.flushes.length;
  await append("b");
  expect(store.flushes).toHaveLength(flushed + 1);
});
