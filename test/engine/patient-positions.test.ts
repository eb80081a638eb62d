import { expect, onTestFinished, test } from "vitest";

import { Decider } from "../../engine/decision/decider.ts";
import { accept, defineCommand, fact } from "../../engine/decision/definition.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryProcessorStore } from "../../engine/memory/processor-store.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { type Metrics, noMetrics } from "../../engine/ports/metrics.ts";
import type { ProcessorFlush } from "../../engine/ports/processor-store.ts";
import { defineProcessor } from "../../engine/processor.ts";
import type { RunOptions } from "../../engine/runner/options.ts";
import { run } from "../../engine/runner/run.ts";
import { happened } from "../../engine/testing/given.ts";
import { type CrashPoint, JsonCodec, Journal } from "../../engine/testing/index.ts";
import { realClock, realRandom, ScriptedAssignment, until } from "./process.ts";
import { counters, Moved, Noted, notes, Opened } from "./seats.ts";

const note = defineCommand({
  name: "note",
  reads: () => ({}),
  decide: (code: string) => accept([fact(notes, Noted, { code, note: "moved" })], undefined),
});

/** What is opened leads to nothing; what is moved is noted. */
const notary = defineProcessor({
  name: "patient-notary",
  from: counters,
  on: { Opened: "ignore", Moved: (_, e, emit) => emit(note(e.code)), Closed: "ignore" },
});

class FlushesSeen extends MemoryProcessorStore {
  readonly seen: ProcessorFlush[] = [];

  override flush(flush: ProcessorFlush) {
    this.seen.push(flush);
    return super.flush(flush);
  }
}

async function stage() {
  const codec = new JsonCodec();
  const log = new MemoryRecordLog();
  const journal = new Journal({ log, codec });
  await journal.open(counters);
  await codec.prepare(notes);
  const events = new MemoryEventStore({ clock: realClock });
  const store = new FlushesSeen({ appendAll: (requests) => events.appendAll(requests) });
  let passed = 0;
  const metrics: Metrics = {
    ...noMetrics,
    observe: (name) => void (passed += name === "decode_seconds" ? 1 : 0),
  };
  const shared = { codec, clock: realClock, random: realRandom, metrics };
  const start = (options: Partial<RunOptions> = {}) =>
    run({
      ...shared,
      processors: [notary],
      log,
      readModels: new MemoryReadModelStore(),
      processorStore: store,
      decider: new Decider({ ...shared, eventStore: events, as: "processor" }),
      assignment: new ScriptedAssignment(),
      limits: { lingerMs: 0, positionLingerMs: 600_000 },
      ...options,
    });
  const noted = async () => {
    const keys: string[] = [];
    for await (const page of events.read({})) keys.push(...page.map(({ key }) => key));
    return keys;
  };
  const chunks = () => passed;
  return { journal, store, start, noted, chunks };
}

const opened = (size: number) => happened(Opened, { code: "a", size });
const moved = happened(Moved, { code: "a", by: 1 });

test("positions of what leads to nothing are written with the next flush that does more", async () => {
  const { journal, store, start, noted, chunks } = await stage();
  const runner = await start();
  onTestFinished(() => runner.stop());
  await journal.append(counters, [opened(1), opened(2)]);
  await until("what leads to nothing is folded", async () => chunks() > 0);
  expect(store.seen).toEqual([]);
  await journal.append(counters, [moved]);
  await until("the move is noted", async () => (await noted()).length > 0);
  expect(store.seen.map(({ advances }) => advances.map(({ records }) => records))).toEqual([[3]]);
});

test("they are written when a processor stops", async () => {
  const { journal, store, start, chunks } = await stage();
  const runner = await start();
  await journal.append(counters, [opened(1)]);
  await until("what leads to nothing is folded", async () => chunks() > 0);
  await runner.stop();
  expect(store.seen.map(({ advances }) => advances.map(({ records }) => records))).toEqual([[1]]);
});

test("a crash before they are written makes the same events, once", async () => {
  const { journal, start, noted, store, chunks } = await stage();
  let armed = false;
  const probe = {
    at: (reached: CrashPoint) => {
      if (armed && reached === "folded") throw new CrashSignal(reached);
    },
  };
  const crashed = await start({ probe });
  await journal.append(counters, [opened(1), opened(2)]);
  await until("what leads to nothing is folded", async () => chunks() > 0);
  armed = true;
  await journal.append(counters, [moved]);
  await expect(crashed.finished).rejects.toThrow(CrashSignal);
  await crashed.stop().catch(() => undefined);
  expect(store.seen).toEqual([]);
  const runner = await start();
  onTestFinished(() => runner.stop());
  await until("the move is noted", async () => (await noted()).length > 0);
  expect(await noted()).toEqual(["a"]);
});

test("a batch that asks for so many decisions is flushed, and one that asks for none goes on", async () => {
  const { journal, store, start, noted } = await stage();
  const quiet = Array.from({ length: 6 }, (_, at) => opened(at));
  await journal.append(counters, [...quiet, moved, moved, moved, moved, ...quiet]);
  const limits = { batchCallsMax: 2, chunkRecordsMax: 1, lingerMs: 600_000 };
  const runner = await start({ limits: { ...limits, positionLingerMs: 600_000 } });
  onTestFinished(() => runner.stop());
  await until("all moves are noted", async () => (await noted()).length === 4);
  expect(store.seen.map(({ advances }) => advances.map(({ records }) => records))).toEqual([
    [8],
    [2],
  ]);
});
