import { expect, onTestFinished, test } from "vitest";

import type { Metrics } from "../../engine/ports/metrics.ts";
import { FencedError, TransientError } from "../../engine/errors.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { ReadModelFlush } from "../../engine/ports/read-model-store.ts";
import type { Fetch, ReadOptions } from "../../engine/ports/record-log.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import type { RunOptions } from "../../engine/runner/options.ts";
import { run } from "../../engine/runner/run.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll, type GivenEvent, happened } from "../../engine/testing/given.ts";
import { JsonCodec, Journal } from "../../engine/testing/index.ts";
import { realClock, realRandom, ScriptedAssignment, until } from "./process.ts";
import { board, counters, history, Moved, Opened, tally, notes, withNotes } from "./seats.ts";

const numbers = Array.from({ length: 300 }, (_, at) => (at * 7919) % 1009);

class Counted implements Metrics {
  readonly counts = new Map<string, number>();
  readonly gauges = new Map<string, number>();
  count(name: string, by: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }
  gauge(name: string, value: number): void {
    this.gauges.set(name, value);
  }
  drop(name: string): void {
    this.gauges.delete(name);
  }
  observe(): void {}
}

/** A store whose flushes fail as the test says. */
class TroubledStore extends MemoryReadModelStore {
  failures: (() => Error)[] = [];
  commitThenFail = false;
  override async flush(flush: ReadModelFlush): Promise<void> {
    if (this.commitThenFail) {
      this.commitThenFail = false;
      await super.flush(flush);
      throw new TransientError("outcome-unknown", "The commit's answer was lost.");
    }
    const failure = this.failures.shift();
    if (failure) throw failure();
    await super.flush(flush);
  }
}

class Stage<Store extends MemoryReadModelStore = MemoryReadModelStore> {
  readonly log: MemoryRecordLog;
  readonly codec = new JsonCodec();
  readonly journal: Journal;
  readonly store: Store;
  readonly assignment = new ScriptedAssignment();
  readonly metrics = new Counted();

  constructor(log: MemoryRecordLog, store: Store) {
    this.log = log;
    this.store = store;
    this.journal = new Journal({ log, codec: this.codec });
  }

  async open(): Promise<void> {
    await this.journal.open(counters);
    await this.journal.open(notes);
  }

  async run(options: Partial<RunOptions> = {}): Promise<Runner> {
    const runner = await run({
      projections: [board],
      log: this.log,
      readModels: this.store,
      assignment: this.assignment,
      codec: this.codec,
      clock: realClock,
      random: realRandom,
      metrics: this.metrics,
      observeIntervalMs: 5,
      ...options,
      limits: {
        lingerMs: 1,
        backoff: { initialMs: 1, maxMs: 2, attemptsMax: 4 },
        ...options.limits,
      },
    });
    onTestFinished(() => runner.stop());
    return runner;
  }

  async rows(projection: AnyProjection = board) {
    const generation = await this.store.open(readModelOf(projection));
    const rows = new Map<string, unknown>();
    for await (const page of this.store.scan(generation)) {
      for (const { key, row } of page) rows.set(key, row);
    }
    return rows;
  }

  /** Everything that the log holds is durable. */
  async applied(projection: AnyProjection = board): Promise<boolean> {
    const generation = await this.store.open(readModelOf(projection));
    const standing = await this.store.positions(generation);
    for (const { topic, partition, position } of standing) {
      const end = (await this.log.bounds(topic))[partition]?.end ?? 0n;
      if ((position?.nextOffset ?? 0n) < end) return false;
    }
    return true;
  }
}

async function staged(events: readonly GivenEvent[] = []): Promise<Stage<TroubledStore>> {
  const stage = new Stage(new MemoryRecordLog(), new TroubledStore());
  await stage.open();
  await stage.journal.append(counters, events);
  return stage;
}

test("applies what is there, then what comes, and is current afterwards", async () => {
  const events = history(numbers);
  const stage = await staged(events.slice(0, 200));
  const runner = await stage.run();
  await until("the backlog is applied", () => stage.applied());
  await stage.journal.append(counters, events.slice(200));
  await until("the rest is applied", () => stage.applied());
  expect(await stage.rows()).toEqual(foldAll(board, events));
  await until("the monitor has seen it", () => runner.ageMs("board") < 1_000);
  expect(runner.health()).toMatchObject([{ consumer: "board", state: "running", reasons: [] }]);
});

test("who starts behind is seen to be current as soon as it is, however seldom looks come", async () => {
  class SlowToFlush extends MemoryReadModelStore {
    override async flush(flush: ReadModelFlush): Promise<void> {
      await realClock.sleep(300);
      await super.flush(flush);
    }
  }
  const stage = new Stage(new MemoryRecordLog(), new SlowToFlush());
  await stage.open();
  await stage.journal.append(counters, history(numbers));
  const runner = await stage.run({ observeIntervalMs: 60_000 });
  expect(runner.applied()).toBe(false);
  await until("the monitor has seen it", () => runner.ageMs("board") < Infinity);
  expect(runner.applied()).toBe(true);
  expect(await stage.applied()).toBe(true);
});

test("several projections share a topic's reader and agree with their folds", async () => {
  const events = history(numbers);
  const mixed = withNotes(events);
  const stage = await staged();
  await stage.run({ projections: [board, tally] });
  for (const event of mixed) {
    await stage.journal.append(event.type.name === "Noted" ? notes : counters, [event]);
  }
  await until(
    "both are applied",
    async () => (await stage.applied()) && (await stage.applied(tally)),
  );
  expect(await stage.rows(tally)).toEqual(foldAll(tally, mixed));
});

test("an outage is waited out and sets nothing aside", async () => {
  const events = history(numbers);
  const stage = await staged(events);
  stage.store.failures = [1, 2, 3].map(() => () => new TransientError("refused", "Not there."));
  await stage.run();
  await until("it is applied", () => stage.applied());
  expect(await stage.rows()).toEqual(foldAll(board, events));
  expect(stage.metrics.counts.get("retries_total")).toBe(3);
  expect(stage.metrics.counts.get("dead_letters_total")).toBe(0);
});

test("a commit whose answer is lost is not made twice", async () => {
  const events = history(numbers);
  const stage = await staged(events);
  stage.store.commitThenFail = true;
  await stage.run();
  await until("it is applied", () => stage.applied());
  expect(await stage.rows()).toEqual(foldAll(board, events));
});

test("an outage that doesn't end halts with its reason", async () => {
  const stage = await staged(history(numbers));
  stage.store.failures = Array.from(
    { length: 10 },
    () => () => new TransientError("refused", "The database is not there."),
  );
  const runner = await stage.run();
  await until("it halts", () => runner.health()[0]?.state === "halted");
  expect(runner.health()[0]?.reasons[0]).toContain("The database is not there.");
  expect(await stage.rows()).toEqual(new Map());
});

test("a fenced partition is dropped, the others fold again, and it comes back by assignment", async () => {
  const events = history(numbers);
  const stage = await staged(events);
  stage.store.failures = [() => new FencedError([1], "Another writer has partition 1.")];
  const runner = await stage.run();
  await until("partition 1 is told as lost", () => stage.assignment.fenced.includes(1));
  await until(
    "the others go on",
    () => runner.reports().filter(({ lastRecordedAtMs }) => lastRecordedAtMs).length >= 2,
  );
  expect(runner.reports().map(({ partition }) => partition)).toEqual([0, 2, 3]);
  stage.assignment.give([0, 1, 2, 3]);
  await until("it is applied", () => stage.applied());
  expect(await stage.rows()).toEqual(foldAll(board, events));
});

test("what is taken away is drained before it is released, and can be taken back", async () => {
  const events = history(numbers);
  const stage = await staged(events.slice(0, 150));
  await stage.run();
  await until("the first half is applied", () => stage.applied());
  stage.assignment.give([0]);
  await until("the rest is released", () => stage.assignment.released.length === 3);
  await stage.journal.append(counters, events.slice(150));
  stage.assignment.give([0, 1, 2, 3]);
  await until("all is applied", () => stage.applied());
  expect(await stage.rows()).toEqual(foldAll(board, events));
});

test("a hole halts its partition by name, and the others go on", async () => {
  const other =
    "bcdefg".split("").find((code) => partitionOf(code, 4) !== partitionOf("a", 4)) ?? "";
  const stage = await staged([happened(Opened, { code: "a", size: 1 })]);
  stage.journal.encode(counters, [happened(Moved, { code: "a", by: 1 })]);
  await stage.journal.append(counters, [
    happened(Moved, { code: "a", by: 1 }),
    happened(Opened, { code: other, size: 1 }),
  ]);
  const runner = await stage.run();
  await until("it halts", () => runner.health()[0]?.state === "halted");
  await until("the other partition is applied", async () => (await stage.rows()).has(other));
  expect(runner.health()[0]?.reasons).toHaveLength(1);
  expect(runner.health()[0]?.reasons[0]).toMatch(
    /counters\/\d.*hole: .*expected sequence 2 and found 3.*2 is missing/,
  );
  expect((await stage.rows()).get("a")).toMatchObject({ moves: 0 });
});

test("a log that was made anew halts by name", async () => {
  const stage = await staged(history(numbers));
  const first = await stage.run();
  await until("it is applied", () => stage.applied());
  await first.stop();
  await stage.log.deleteTopic("counters");
  await stage.journal.open(counters);
  const second = await stage.run();
  await until("it halts", () => second.health()[0]?.state === "halted");
  expect(second.health()[0]?.reasons[0]).toContain("log-replaced");
});

test("an empty log is current: its partitions run, and nothing is behind", async () => {
  const stage = await staged();
  const runner = await stage.run({ projections: [board, tally] });
  for (const name of ["board", "tally"]) {
    await until(`${name} is current`, () => runner.ageMs(name) < 1_000);
  }
  const healthy = { state: "running", reasons: [] };
  expect(runner.health()).toMatchObject([healthy, healthy]);
  const reports = runner.reports();
  expect(new Set(reports.map(({ state }) => state))).toEqual(new Set(["running"]));
  expect(reports.every(({ currentAsOfMs }) => currentAsOfMs !== undefined)).toBe(true);
});

test("the log is read once for projections that start together, whoever claims last", async () => {
  class Counting extends MemoryRecordLog {
    readers = 0;
    override read(options: ReadOptions): AsyncGenerator<Fetch, void> {
      this.readers += 1;
      return super.read(options);
    }
  }
  class SlowToClaim extends MemoryReadModelStore {
    override async claim(...given: Parameters<MemoryReadModelStore["claim"]>) {
      if (given[0].projection === "second") await realClock.sleep(30);
      return super.claim(...given);
    }
  }
  const events = history(numbers);
  const log = new Counting();
  const stage = new Stage(log, new SlowToClaim());
  await stage.open();
  await stage.journal.append(counters, events);
  const second = { ...board, name: "second" };
  await stage.run({ projections: [board, second] });
  await until(
    "both are applied",
    async () => (await stage.applied()) && (await stage.applied(second)),
  );
  expect(log.readers).toBe(1);
  for (const one of [board, second]) {
    expect(await stage.rows(one)).toEqual(foldAll(board, events));
  }
});

test("one that can't claim doesn't keep the others from reading for ever", async () => {
  let free: () => void = () => undefined;
  const stuck = new Promise<void>((resolve) => (free = resolve));
  class Stuck extends MemoryReadModelStore {
    override async claim(...given: Parameters<MemoryReadModelStore["claim"]>) {
      if (given[0].projection === "second") await stuck;
      return super.claim(...given);
    }
  }
  const events = history(numbers);
  const stage = new Stage(new MemoryRecordLog(), new Stuck());
  await stage.open();
  await stage.journal.append(counters, events);
  await stage.run({ projections: [board, { ...board, name: "second" }] });
  await until("the other is applied", () => stage.applied());
  free();
});

test("a projection that is slow gets a reader of its own, and they join again at the end", async () => {
  class Counting extends MemoryRecordLog {
    readonly open = new Set<AbortSignal>();
    most = 0;
    override async *read(options: ReadOptions): AsyncGenerator<Fetch, void> {
      this.open.add(options.signal);
      this.most = Math.max(this.most, this.open.size);
      try {
        yield* super.read(options);
      } finally {
        this.open.delete(options.signal);
      }
    }
  }
  class SlowToFlush extends MemoryReadModelStore {
    override async flush(flush: ReadModelFlush): Promise<void> {
      if (flush.generation.projection === "second") await realClock.sleep(3);
      await super.flush(flush);
    }
  }
  const events = history(numbers);
  const log = new Counting();
  const stage = new Stage(log, new SlowToFlush());
  await stage.open();
  for (const event of events) await stage.journal.append(counters, [event]);
  const second = { ...board, name: "second" };
  const limits = { batchRecordsMax: 10, chunkRecordsMax: 10 };
  await stage.run({ projections: [board, second], limits, fetchBytesMax: 2_000, fetchesMax: 2 });
  await until(
    "both are applied",
    async () => (await stage.applied()) && (await stage.applied(second)),
  );
  expect(log.most).toBe(2);
  await until("one reader is left", () => log.open.size === 1);
  expect(await stage.rows(second)).toEqual(foldAll(board, events));
});
