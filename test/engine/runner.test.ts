import { expect, onTestFinished, test } from "vitest";

import type { Metrics } from "../../engine/ports/metrics.ts";
import { FencedError, TransientError } from "../../engine/errors.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { ReadModelFlush } from "../../engine/ports/read-model-store.ts";
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

class Stage {
  readonly log = new MemoryRecordLog();
  readonly codec = new JsonCodec();
  readonly journal = new Journal({ log: this.log, codec: this.codec });
  readonly store = new TroubledStore();
  readonly assignment = new ScriptedAssignment();
  readonly metrics = new Counted();

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

async function staged(events: readonly GivenEvent[] = []): Promise<Stage> {
  const stage = new Stage();
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
  expect(stage.metrics.counts.get("dead_letters_total")).toBeUndefined();
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
