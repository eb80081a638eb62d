import { expect, onTestFinished, test } from "vitest";

import { invariant, TransientError } from "../../engine/errors.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { type Metrics, noMetrics } from "../../engine/ports/metrics.ts";
import { offset } from "../../engine/position.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { RecordToAppend } from "../../engine/ports/record-log.ts";
import type { ReadModelFlush } from "../../engine/ports/read-model-store.ts";
import type { SkippedOffsets } from "../../engine/ports/skipped-offsets.ts";
import { SkippingRecordLog } from "../../engine/record-log/skipping-log.ts";
import { run } from "../../engine/runner/run.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll, happened } from "../../engine/testing/given.ts";
import { JsonCodec, Journal } from "../../engine/testing/index.ts";
import { realClock, realRandom, ScriptedAssignment, until } from "./process.ts";
import { board, counters, Moved, Opened } from "./seats.ts";

/** A store that a test keeps waiting, or takes away. */
class SlowStore extends MemoryReadModelStore {
  /** Flushes under way. */
  waiting = 0;
  isAway = false;
  isBroken = false;
  /** Reads while it was away. */
  refused = 0;
  #free: Promise<void> | undefined;
  #letGo: () => void = () => undefined;

  hold(): void {
    this.#free = new Promise((letGo) => (this.#letGo = letGo));
  }

  letGo(): void {
    this.#free = undefined;
    this.#letGo();
  }

  override async flush(flush: ReadModelFlush): Promise<void> {
    invariant(!this.isBroken, "The store is broken.");
    this.waiting += 1;
    await this.#free;
    this.waiting -= 1;
    await super.flush(flush);
  }

  override async load(...given: Parameters<MemoryReadModelStore["load"]>) {
    if (this.isAway) {
      this.refused += 1;
      throw new TransientError("postgres", "The database is away.");
    }
    return super.load(...given);
  }
}

const other = "bcdefg".split("").find((code) => partitionOf(code, 4) !== partitionOf("a", 4)) ?? "";

async function staged() {
  const memory = new MemoryRecordLog();
  const skipped: SkippedOffsets[] = [];
  const log = new SkippingRecordLog({
    log: memory,
    skipped: { ranges: async () => [...skipped] },
    clock: realClock,
    ageMaxMs: 10,
  });
  const store = new SlowStore();
  const codec = new JsonCodec();
  const journal = new Journal({ log, codec });
  const assignment = new ScriptedAssignment();
  const counts = new Map<string, number>();
  const gauges = new Map<string, number>();
  const metrics: Metrics = {
    ...noMetrics,
    gauge: (name, value, labels) => gauges.set(`${name} ${labels?.["state"]}`, value),
    count: (name, by) => counts.set(name, (counts.get(name) ?? 0) + by),
  };
  await journal.open(counters);
  const runner = await run({
    projections: [board],
    log,
    readModels: store,
    assignment,
    codec,
    clock: realClock,
    random: realRandom,
    metrics,
    observeIntervalMs: 5,
    recoverAfterMs: 20,
    limits: { lingerMs: 1, backoff: { initialMs: 1, maxMs: 2, attemptsMax: 2 } },
  });
  onTestFinished(async () => {
    store.letGo();
    if (store.isBroken) await expect(runner.stop()).rejects.toThrow("The store is broken.");
    else await runner.stop();
  });
  const rows = async () => {
    const found = new Map<string, unknown>();
    for await (const page of store.scan(await store.open(readModelOf(board)))) {
      for (const { key, row } of page) found.set(key, row);
    }
    return found;
  };
  const says = (state: string) => () => runner.health()[0]?.state === state;
  return { log, skipped, store, journal, assignment, runner, rows, counts, gauges, says };
}

test("a hole that is looked at again while others' flush is under way breaks nothing", async () => {
  const { store, journal, assignment, runner, rows, counts } = await staged();
  store.hold();
  const opened = ["a", other].map((code) => happened(Opened, { code, size: 1 }));
  await journal.append(counters, opened);
  journal.encode(counters, [happened(Moved, { code: "a", by: 1 })]);
  await journal.append(counters, [happened(Moved, { code: "a", by: 1 })]);
  await until("a flush is under way", () => store.waiting > 0);
  // How it stands in between is too short to be seen on a busy machine.
  await until("the hole is looked at again", () => (counts.get("recoveries_total") ?? 0) > 0);
  store.letGo();
  await until("the partition is given up", () => assignment.fenced.length === 1);
  const moved = happened(Moved, { code: other, by: 2 });
  await journal.append(counters, [moved]);
  await expect.poll(rows, { timeout: 5_000 }).toEqual(foldAll(board, [...opened, moved]));
  expect(runner.health()).toMatchObject([{ state: "running", reasons: [] }]);
});

test("a lane that was published again is current, also where it ends in repeats of the last event", async () => {
  const { log, skipped, journal, assignment, runner, rows } = await staged();
  const events = [happened(Opened, { code: "a", size: 1 })];
  await journal.append(counters, events);
  const lost = happened(Moved, { code: "a", by: 1 });
  const kept = happened(Moved, { code: "a", by: 2 });
  const [late] = journal.encode(counters, [lost, kept]);
  const [gone, last] = late?.records ?? [];
  invariant(late !== undefined && gone !== undefined && last !== undefined, "One partition's.");
  const publish = (...records: readonly RecordToAppend[]) => log.append([{ ...late, records }]);
  await publish(last);
  await until("the hole is met", () => assignment.fenced.length > 0);
  await publish(gone, last, last);
  const [topic] = await log.topics();
  const { partition } = late;
  const range = { partition, from: offset(1), to: offset(2) };
  skipped.push({ topic: "counters", topicId: topic?.id ?? "", ...range });
  let given = 0;
  const end = (await log.bounds("counters"))[partition]?.end;
  await until("it stands at the end", () => {
    // The range may be read a moment after the lane: then the hole is met once more.
    if (assignment.fenced.length > given) assignment.give([0, 1, 2, 3]);
    given = assignment.fenced.length;
    return runner.reports().find((one) => one.partition === partition)?.nextOffset === end;
  });
  await until("it is current", () => runner.ageMs("board") < 1_000);
  expect(await rows()).toEqual(foldAll(board, [...events, lost, kept]));
});

test("an outage of reads while a flush is under way breaks nothing, and passes", async () => {
  const { store, journal, assignment, rows, says } = await staged();
  store.hold();
  const opened = happened(Opened, { code: "a", size: 1 });
  await journal.append(counters, [opened]);
  await until("a flush is under way", () => store.waiting > 0);
  store.isAway = true;
  const unread = happened(Opened, { code: other, size: 1 });
  await journal.append(counters, [unread]);
  await until("reads are refused", () => store.refused > 1);
  store.letGo();
  await until("all partitions are given up", () => assignment.fenced.length === 4);
  store.isAway = false;
  assignment.give([0, 1, 2, 3]);
  await expect.poll(rows, { timeout: 5_000 }).toEqual(foldAll(board, [opened, unread]));
  await until("it runs", says("running"));
});

test("a consumer that has ended is told as halted, with why, for as long as its process lives", async () => {
  const { store, journal, runner, gauges, says } = await staged();
  await until("it runs", says("running"));
  store.isBroken = true;
  await journal.append(counters, [happened(Opened, { code: "a", size: 1 })]);
  await expect(runner.finished).rejects.toThrow("The store is broken.");
  const told = runner.reports();
  expect(told).toHaveLength(4);
  for (const { state, reason } of told) {
    expect(state).toBe("halted");
    expect(reason).toMatch(/The store is broken\. Start the process again\./);
  }
  await until("the metrics say so", () => gauges.get("partitions halted") === 4);
});
