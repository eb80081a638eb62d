import { reasonOf } from "../error-policy.ts";
import type { Clock } from "../ports/clock.ts";
import type { Labels, Metrics } from "../ports/metrics.ts";
import type { PartitionBounds, RecordLog } from "../ports/record-log.ts";
import type { StatusBoard, TaskReport } from "../ports/status-board.ts";
import { offset } from "../position.ts";
import type { TaskPartition } from "../task/task-partition.ts";
import { EndHistory } from "./end-history.ts";
import { type LiveConsumer, toldAs } from "./live-consumer.ts";

/** A consumer as the monitor sees it. */
export type Watched = Pick<LiveConsumer, "task" | "kind" | "generation" | "topics" | "duty"> & {
  readonly consumer: Pick<LiveConsumer["consumer"], "heldMs" | "arrived" | "failure">;
  readonly after: Pick<LiveConsumer, "task"> | undefined;
};

export interface MonitorOptions {
  /** Those there are now: they change while generations come and go. */
  readonly watched: () => readonly Watched[];
  readonly log: RecordLog;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly statusBoard: StatusBoard | undefined;
  readonly instance: string;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

interface Seen {
  records: number;
  atMs: number;
  currentAsOfMs: number | undefined;
  /** How long holds had kept the consumer still by then. */
  heldMs: number;
  lagRecords: number | undefined;
  perSecond: number;
}

/** States of partitions that are counted; the others are gone or not there yet. */
const tellingStates = ["assigned", "running", "draining", "halted", "fenced"] as const;

/**
 * At the start partitions come one after the other, and catch up: whoever asks then shouldn't hear
 * "stopped", nor wait for the next look when all is applied.
 */
const firstLooksMs = 50;
const firstLooksMax = 40;

/**
 * Watches how far tasks are behind. The ends come from the log itself, so that a reader that has
 * died is seen as a growing lag, never as none.
 */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #seen = new WeakMap<TaskPartition, Seen>();
  readonly #ends = new Map<string, EndHistory>();
  /** Partitions whose lag is told, so that a partition that goes takes its figures along. */
  #told = new Map<string, Labels>();
  #boardFailures = 0;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { clock, intervalMs, signal } = this.#options;
    for (let looks = 1; !signal.aborted; looks += 1) {
      await this.look();
      const soon = looks <= firstLooksMax && this.#someNeverCurrent();
      await clock.sleep(soon ? Math.min(firstLooksMs, intervalMs) : intervalMs, signal);
    }
  }

  #someNeverCurrent(): boolean {
    return this.#options.watched().some((watched) => !Number.isFinite(this.ageMs(watched)));
  }

  /** One look at the ends, and one report. An outage leaves the last figures standing. */
  async look(): Promise<void> {
    const atMs = this.#options.clock.nowMs();
    try {
      await this.#observe(atMs);
    } catch {
      this.#options.metrics.count("monitor_failures_total", 1);
    }
    await this.report();
  }

  async report(): Promise<void> {
    const { statusBoard, instance, metrics } = this.#options;
    if (!statusBoard) return;
    try {
      await statusBoard.report(instance, this.reports());
      this.#boardFailures = 0;
    } catch {
      this.#boardFailures += 1;
      metrics.gauge("status_report_failures", this.#boardFailures);
    }
  }

  reports(): TaskReport[] {
    return this.#options
      .watched()
      .flatMap((watched) =>
        [...watched.task.partitions].map((partition) => this.#reportOf(watched, partition)),
      );
  }

  /**
   * Milliseconds since everything that the log held was applied, in all the task's partitions;
   * Infinity where that was never so.
   */
  ageMs(watched: Pick<Watched, "task" | "after">): number {
    const times = [...watched.task.partitions].map(
      (partition) => this.#currentAsOfMs(watched, partition) ?? -Infinity,
    );
    return this.#sinceOldest(times);
  }

  /** `ageMs` without the time that holds have added: they are asked for, and end by themselves. */
  workingAgeMs(watched: Pick<Watched, "task" | "after" | "consumer">): number {
    const times = [...watched.task.partitions].map((partition) => {
      const atMs = this.#currentAsOfMs(watched, partition);
      const heldMs = watched.consumer.heldMs - (this.#seen.get(partition)?.heldMs ?? 0);
      return atMs === undefined ? -Infinity : atMs + heldMs;
    });
    return this.#sinceOldest(times);
  }

  #sinceOldest(times: readonly number[]): number {
    const nowMs = this.#options.clock.nowMs();
    return times.length === 0 ? Infinity : Math.max(0, nowMs - Math.min(...times));
  }

  async #observe(atMs: number): Promise<void> {
    const topics = new Set(this.#options.watched().flatMap(({ topics }) => topics));
    const told = new Map<string, Labels>();
    for (const topic of topics) {
      const bounds = await this.#options.log.bounds(topic);
      for (const { task, duty, consumer } of this.#options.watched()) {
        for (const partition of task.partitions) {
          const of = bounds[partition.partition];
          if (partition.topic !== topic || !of) continue;
          const lag = this.#compare(partition, { of, atMs, heldMs: consumer.heldMs });
          // A kept generation's offsets stand on the board; its lag is nobody's alarm.
          if (duty.role === "kept") continue;
          const labels = { consumer: task.name, partition: partition.name };
          told.set(`${task.name} ${partition.name}`, labels);
          this.#options.metrics.gauge("lag_records", lag.records, labels);
          this.#options.metrics.gauge("lag_seconds", lag.seconds, labels);
        }
      }
    }
    this.#tellOwned();
    this.#takeBack(told);
  }

  #compare(
    partition: TaskPartition,
    { of, atMs, heldMs }: { of: PartitionBounds; atMs: number; heldMs: number },
  ): { readonly records: number; readonly seconds: number } {
    const seen = this.#seenOf(partition, atMs);
    const next = Number(partition.committed?.nextOffset ?? of.start);
    const lag = Math.max(0, Number(of.end) - next);
    seen.lagRecords = lag;
    if (lag === 0) {
      seen.currentAsOfMs = atMs;
      seen.heldMs = heldMs;
    }
    const elapsedMs = atMs - seen.atMs;
    if (elapsedMs > 0) seen.perSecond = ((partition.records - seen.records) * 1_000) / elapsedMs;
    seen.records = partition.records;
    seen.atMs = atMs;
    const passedAtMs = this.#passedAtMs(partition, next, { of, atMs });
    return { records: lag, seconds: lagSeconds(partition, { of, atMs, passedAtMs }) };
  }

  /** Where it wasn't seen yet: as its predecessor stood, since it took over no further back. */
  #currentAsOfMs({ after }: Pick<Watched, "after">, partition: TaskPartition): number | undefined {
    const seen = this.#seen.get(partition)?.currentAsOfMs;
    if (seen !== undefined || after === undefined) return seen;
    for (const before of after.task.partitions) {
      if (before.name === partition.name) return this.#seen.get(before)?.currentAsOfMs;
    }
    return undefined;
  }

  /** When the log was seen to reach beyond what is durable here. */
  #passedAtMs(
    partition: TaskPartition,
    next: number,
    { of, atMs }: { of: PartitionBounds; atMs: number },
  ): number | undefined {
    let history = this.#ends.get(partition.name);
    if (!history) this.#ends.set(partition.name, (history = new EndHistory()));
    history.note(Number(of.end), atMs, of.lastTimestampMs);
    return history.passedAtMs(next);
  }

  #tellOwned(): void {
    for (const { task, duty, consumer } of this.#options.watched()) {
      if (duty.role === "kept") continue;
      const states = [...task.partitions].map((partition) => standingOf(partition, consumer).state);
      for (const state of tellingStates) {
        const inState = states.filter((one) => one === state).length;
        this.#options.metrics.gauge("partitions", inState, { consumer: task.name, state });
      }
    }
  }

  #takeBack(told: Map<string, Labels>): void {
    for (const [name, labels] of this.#told) {
      if (told.has(name)) continue;
      this.#options.metrics.drop("lag_records", labels);
      this.#options.metrics.drop("lag_seconds", labels);
    }
    this.#told = told;
  }

  #seenOf(partition: TaskPartition, atMs: number): Seen {
    let seen = this.#seen.get(partition);
    if (!seen) {
      seen = {
        records: 0,
        atMs,
        currentAsOfMs: undefined,
        heldMs: 0,
        lagRecords: undefined,
        perSecond: 0,
      };
      this.#seen.set(partition, seen);
    }
    return seen;
  }

  #reportOf(watched: Watched, partition: TaskPartition): TaskReport {
    const { kind, generation } = watched;
    const seen = this.#seen.get(partition);
    return {
      consumer: toldAs(watched, this.#options.watched()),
      kind,
      generation,
      topic: partition.topic,
      partition: partition.partition,
      ...standingOf(partition, watched.consumer),
      nextOffset: partition.committed?.nextOffset ?? offset(partition.staged.nextOffset),
      parkedKeys: partition.parked.size,
      recordsPerSecond: seen?.perSecond ?? 0,
      lastRecordedAtMs: partition.lastRecordedAtMs,
      currentAsOfMs: this.#currentAsOfMs(watched, partition),
    };
  }
}

/**
 * What a consumer had when it ended stays as it was, and others may have it by now. It is told as
 * halted, so that somebody sees to the process.
 */
function standingOf(
  { state, reason }: TaskPartition,
  { failure }: Watched["consumer"],
): Pick<TaskReport, "state" | "reason"> {
  if (failure === undefined) return { state, reason };
  return { state: "halted", reason: `${reasonOf(failure)} Start the process again.` };
}

/**
 * How long the first record that isn't durable here has waited, in seconds: since the log was seen
 * to hold it, and at least the time between the last record applied and the log's last. Never 0
 * while there is a record to apply.
 */
function lagSeconds(
  partition: TaskPartition,
  { of, atMs, passedAtMs }: { of: PartitionBounds; atMs: number; passedAtMs: number | undefined },
): number {
  const next = Number(partition.committed?.nextOffset ?? of.start);
  if (next >= Number(of.end) || of.lastTimestampMs === undefined) return 0;
  const doneMs = partition.lastRecordedAtMs;
  // Nothing was applied since the start: the wait of the newest record is the least that is true.
  const behindMs = doneMs === undefined ? atMs - of.lastTimestampMs : of.lastTimestampMs - doneMs;
  const waitedMs = passedAtMs === undefined ? 0 : atMs - passedAtMs;
  return Math.max(behindMs, waitedMs, 1) / 1_000;
}
