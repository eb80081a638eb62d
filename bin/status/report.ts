import type { LetterCount } from "../../engine/ports/dead-letters.ts";
import type { PartitionBounds } from "../../engine/ports/record-log.ts";
import type { BoardEntry, TaskState } from "../../engine/ports/status-board.ts";
import type { EffectCount } from "../../engine/ports/effect-ledger.ts";
import { type EffectStatus, effectsStatus } from "./effects-report.ts";
import type { StoredPosition } from "./stored-position.ts";
import {
  type BuildFacts,
  buildsStatus,
  type DriftStatus,
  type GenerationStatus,
  type RebuildStatus,
} from "./builds-report.ts";
import { type RedisFacts, redisStatus, type RedisStatus } from "./redis-report.ts";

/** A report older than this is of a process that no longer works. */
export const staleAfterMs = 10_000;

/** What the tables say, as it was read. */
export interface StatusFacts {
  readonly nowMs: number;
  readonly consumers: readonly ConsumerFacts[];
  readonly bounds: ReadonlyMap<string, readonly PartitionBounds[]>;
  readonly board: readonly BoardEntry[];
  readonly capture: CaptureFacts | undefined;
  readonly hold: { readonly name: string; readonly clockMs: number } | undefined;
  readonly deadLetters: readonly LetterCount[];
  /** undefined: there is no Redis. */
  readonly redis?: RedisFacts | undefined;
  readonly builds?: BuildFacts;
  /** Of those that are not done. */
  readonly effects?: readonly EffectCount[];
}

export interface ConsumerFacts {
  readonly name: string;
  readonly kind: "projection" | "processor";
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
  readonly positions: readonly StoredPosition[];
}

export interface CaptureFacts {
  readonly slot: string;
  /** A process is reading the slot. */
  readonly active: boolean;
  /** Bytes of write-ahead log after what is confirmed; undefined when the slot is lost. */
  readonly lagBytes: number | undefined;
}

/**
 * `stopped`: it has worked, and no process says that it does now. `not started`: it never has.
 * `parked`: it runs, and some keys wait behind dead letters.
 */
export type ShownState = TaskState | "not started" | "parked";

export interface PartitionStatus {
  readonly topic: string;
  readonly partition: number;
  /** The first offset that is not yet applied; null while nothing ever was. */
  readonly position: string | null;
  readonly end: string;
  readonly lagRecords: number;
  /** Recorded time from the last record applied to the last one in the log. */
  readonly lagSeconds: number;
  readonly recordsPerSecond: number;
  readonly state: ShownState;
  readonly reason: string | null;
}

export interface ConsumerStatus {
  readonly name: string;
  readonly kind: "projection" | "processor";
  readonly state: ShownState;
  readonly lagRecords: number;
  readonly lagSeconds: number;
  readonly recordsPerSecond: number;
  /** Keys whose records wait behind a dead letter. */
  readonly parkedKeys: number;
  /** Letters that are neither redriven nor discarded. */
  readonly deadLetters: number;
  readonly reason: string | null;
  readonly partitions: readonly PartitionStatus[];
}

export interface StatusReport {
  readonly at: string;
  readonly running: boolean;
  readonly capture: CaptureStatus;
  readonly hold: { readonly by: string; readonly clock: string } | null;
  readonly consumers: readonly ConsumerStatus[];
  /** null: there is no Redis. */
  readonly redis: RedisStatus | null;
  /** Calls of the outside world that are not done, by kind. */
  readonly effects: readonly EffectStatus[];
  /** All builds of the read models. */
  readonly generations: readonly GenerationStatus[];
  /** Open ones. */
  readonly rebuilds: readonly RebuildStatus[];
  /** Rows that the standing audit has found not to be what the log gives. */
  readonly drift: readonly DriftStatus[];
}

export interface CaptureStatus {
  readonly state: "running" | "stopped" | "not started";
  readonly slot: string | null;
  readonly lagBytes: number | null;
  readonly reason: string | null;
}

/** Puts the facts together; pure. */
export function statusReport(facts: StatusFacts): StatusReport {
  const { consumers, hold, nowMs, redis } = facts;
  const fresh = facts.board.filter((entry) => nowMs - entry.reportedAtMs <= staleAfterMs);
  return {
    at: new Date(nowMs).toISOString(),
    running: fresh.some((entry) => entry.state !== "stopped"),
    capture: captureStatus(facts, fresh),
    hold: hold ? { by: hold.name, clock: new Date(hold.clockMs).toISOString() } : null,
    consumers: consumers.map((consumer) => consumerStatus(consumer, facts)),
    redis: redis === undefined ? null : redisStatus(redis, { consumers, board: fresh }),
    effects: effectsStatus(facts.effects),
    ...buildsStatus(facts.builds),
  };
}

function captureStatus(facts: StatusFacts, fresh: readonly BoardEntry[]): CaptureStatus {
  const said = fresh.find((entry) => entry.kind === "capture");
  if (!facts.capture) {
    return { state: "not started", slot: null, lagBytes: null, reason: said?.reason ?? null };
  }
  const { slot, active, lagBytes } = facts.capture;
  const lost = lagBytes === undefined ? `Slot ${slot} has lost its write-ahead log.` : null;
  return {
    state: active ? "running" : "stopped",
    slot,
    lagBytes: lagBytes ?? null,
    reason: said?.reason ?? lost,
  };
}

function consumerStatus(consumer: ConsumerFacts, facts: StatusFacts): ConsumerStatus {
  const partitions = consumer.topics.flatMap((topic) =>
    Array.from({ length: topic.partitions }, (_, partition) =>
      partitionStatus({ consumer, topic: topic.name, partition }, facts),
    ),
  );
  const letters = facts.deadLetters.filter((letter) => letter.consumer === consumer.name);
  const open = letters.filter(({ disposition }) => isOpen(disposition));
  const failed = letters.filter(({ disposition }) => disposition === "failed");
  return {
    name: consumer.name,
    kind: consumer.kind,
    state: worstState(partitions),
    lagRecords: sum(partitions.map((one) => one.lagRecords)),
    lagSeconds: Math.max(0, ...partitions.map((one) => one.lagSeconds)),
    recordsPerSecond: sum(partitions.map((one) => one.recordsPerSecond)),
    parkedKeys: sum(failed.map(({ keys }) => keys)),
    deadLetters: sum(open.map((letter) => letter.letters)),
    reason: partitions.find((one) => one.reason !== null)?.reason ?? null,
    partitions,
  };
}

const isOpen = (disposition: string): boolean =>
  disposition === "failed" || disposition === "waiting";

const severity: readonly ShownState[] = [
  "halted",
  "fenced",
  "stopped",
  "not started",
  "draining",
  "created",
  "parked",
  "running",
  // A partition that never had a record.
  "assigned",
];

const worstState = (partitions: readonly PartitionStatus[]): ShownState =>
  severity.find((state) => partitions.some((one) => one.state === state)) ?? "not started";

interface PartitionAsked {
  readonly consumer: ConsumerFacts;
  readonly topic: string;
  readonly partition: number;
}

function partitionStatus(asked: PartitionAsked, facts: StatusFacts): PartitionStatus {
  const { consumer, topic, partition } = asked;
  const same = (one: { topic: string; partition: number }): boolean =>
    one.topic === topic && one.partition === partition;
  const stored = consumer.positions.find(same);
  const bounds = facts.bounds.get(topic)?.find((one) => one.partition === partition);
  const entry = latest(facts.board.filter((one) => one.consumer === consumer.name && same(one)));
  const next = stored?.position?.nextOffset;
  const lagRecords = bounds ? Number(bounds.end - max(next ?? bounds.start, bounds.start)) : 0;
  const { state, reason, rate } = shown(entry, {
    nowMs: facts.nowMs,
    hasWorked: consumer.positions.length > 0,
  });
  return {
    topic,
    partition,
    position: next === undefined ? null : String(next),
    end: String(bounds?.end ?? 0n),
    lagRecords,
    lagSeconds: lagRecords === 0 ? 0 : secondsBehind(stored, bounds, entry),
    recordsPerSecond: rate,
    state,
    reason,
  };
}

/** Without any record applied there is nothing to measure from: 0, beside the lag in records. */
function secondsBehind(
  stored: StoredPosition | undefined,
  bounds: PartitionBounds | undefined,
  entry: BoardEntry | undefined,
): number {
  const appliedMs = stored?.lastRecordedAtMs ?? entry?.lastRecordedAtMs;
  const endMs = bounds?.lastTimestampMs;
  if (appliedMs === undefined || endMs === undefined) return 0;
  return Math.max(0, endMs - appliedMs) / 1_000;
}

interface Shown {
  readonly state: ShownState;
  readonly reason: string | null;
  readonly rate: number;
}

function shown(
  entry: BoardEntry | undefined,
  { nowMs, hasWorked }: { readonly nowMs: number; readonly hasWorked: boolean },
): Shown {
  if (!entry) return { state: hasWorked ? "stopped" : "not started", reason: null, rate: 0 };
  if (nowMs - entry.reportedAtMs > staleAfterMs) {
    return { state: "stopped", reason: entry.reason ?? null, rate: 0 };
  }
  const works = entry.state === "running" || entry.state === "assigned";
  const state = works && entry.parkedKeys > 0 ? "parked" : entry.state;
  return { state, reason: entry.reason ?? null, rate: entry.recordsPerSecond };
}

function latest(entries: readonly BoardEntry[]): BoardEntry | undefined {
  return entries.reduce<BoardEntry | undefined>(
    (best, one) => (best && best.reportedAtMs >= one.reportedAtMs ? best : one),
    undefined,
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
