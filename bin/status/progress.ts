import type { ConsumerStatus, PartitionStatus, ShownState, StatusReport } from "./report.ts";
import {
  evaluate,
  type Evaluation,
  type Look,
  type Trend,
  trendOfLags,
  type Verdict,
  verdicts,
} from "./verdict.ts";

/** How a consumer moves, as several looks say; null: they don't tell (yet). */
export interface Progress {
  /** The worst of its partitions'. */
  readonly verdict: Verdict | null;
  /** Of the lag of all partitions together. */
  readonly trend: Trend | null;
  readonly appliedPerSecond: number | null;
  readonly arrivedPerSecond: number | null;
  /** Until the slowest partition has caught up if all goes on like this; null: one never will. */
  readonly secondsLeft: number | null;
  /** `topic/partition` that will be the last; null: none is behind. */
  readonly slowest: string | null;
}

export type WatchedConsumer = ConsumerStatus & { readonly progress: Progress };

/** The last report, with what the looks before it add. */
export interface WatchedReport extends Omit<StatusReport, "consumers"> {
  readonly consumers: readonly WatchedConsumer[];
  /** How many looks the verdicts rest on, and how long they took. */
  readonly window: { readonly looks: number; readonly seconds: number };
}

/** As many as Burrow keeps. */
export const looksMax = 10;

/** What is known after looking: @param looks Earlier reports first; the last one is told. */
export function watched(looks: readonly [StatusReport, ...StatusReport[]]): WatchedReport {
  const last = looks.at(-1) ?? looks[0];
  const seconds = (Date.parse(last.at) - Date.parse(looks[0].at)) / 1_000;
  return {
    ...last,
    consumers: last.consumers.map((one) => ({ ...one, progress: progressOf(one, looks) })),
    window: { looks: looks.length, seconds },
  };
}

/** Would another look tell more? */
export const isKnown = (report: WatchedReport): boolean =>
  report.consumers.every(({ progress }) => progress.verdict !== null);

interface EvaluatedPartition extends Evaluation {
  readonly name: string;
  readonly lagRecords: number;
}

function progressOf(consumer: ConsumerStatus, looks: readonly StatusReport[]): Progress {
  const history = looks.flatMap(({ at, consumers }) => {
    const then = consumers.find(({ name }) => name === consumer.name);
    return then === undefined ? [] : [{ atMs: Date.parse(at), consumer: then }];
  });
  const partitions = consumer.partitions.map((partition) => evaluatedOf(partition, history));
  return {
    verdict: worst(partitions),
    trend: trendOfLags(history.map((one) => one.consumer.lagRecords)) ?? null,
    appliedPerSecond: summed(partitions.map((one) => one.appliedPerSecond)),
    arrivedPerSecond: summed(partitions.map((one) => one.arrivedPerSecond)),
    ...lastToArrive(partitions),
  };
}

interface Then {
  readonly atMs: number;
  readonly consumer: ConsumerStatus;
}

function evaluatedOf(of: PartitionStatus, history: readonly Then[]): EvaluatedPartition {
  const looks = history.flatMap(({ atMs, consumer }) => {
    const then = consumer.partitions.find(
      ({ topic, partition }) => topic === of.topic && partition === of.partition,
    );
    return then === undefined ? [] : [lookOf(atMs, then)];
  });
  const name = `${of.topic}/${of.partition}`;
  return { name, lagRecords: of.lagRecords, ...evaluate(looks) };
}

function lookOf(atMs: number, { end, lagRecords, lagSeconds, state }: PartitionStatus): Look {
  // From the end back: what was removed from the log's begin isn't lag.
  const position = BigInt(end) - BigInt(lagRecords);
  // 0 seconds beside a lag in records says that there was nothing to measure from.
  const behindSeconds = lagRecords > 0 && lagSeconds === 0 ? undefined : lagSeconds;
  return { atMs, position, end: BigInt(end), behindSeconds, worker: workerIn[state] };
}

const workerIn = {
  created: "working",
  assigned: "working",
  running: "working",
  draining: "working",
  fenced: "working",
  parked: "working",
  halted: "halted",
  stopped: "none",
  "not started": "none",
} as const satisfies Record<ShownState, Look["worker"]>;

/** null where a partition that isn't known might be worse than those that are. */
function worst(partitions: readonly Evaluation[]): Verdict | null {
  const known = partitions.map(({ verdict }) => verdict);
  const bad = (["halted", "stopped"] as const).find((one) => known.includes(one));
  if (bad !== undefined) return bad;
  if (known.includes(undefined)) return null;
  return verdicts.findLast((one) => known.includes(one)) ?? "ok";
}

function lastToArrive(
  partitions: readonly EvaluatedPartition[],
): Pick<Progress, "secondsLeft" | "slowest"> {
  const behind = partitions.filter(({ lagRecords }) => lagRecords > 0);
  if (behind.length === 0) return { secondsLeft: 0, slowest: null };
  const left = ({ secondsLeft = Number.POSITIVE_INFINITY }: Evaluation): number => secondsLeft;
  const slowest = behind.reduce((a, b) => (left(b) > left(a) ? b : a));
  return { secondsLeft: slowest.secondsLeft ?? null, slowest: slowest.name };
}

function summed(numbers: readonly (number | undefined)[]): number | null {
  const known = numbers.filter((one) => one !== undefined);
  return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0);
}
