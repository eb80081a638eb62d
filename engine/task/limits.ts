import { type BackoffOptions, defaultBackoff } from "../backoff.ts";

/** Bounds of a task. */
export interface TaskLimits {
  /** A batch is flushed when it has so many records, */
  readonly batchRecordsMax: number;
  /** or has touched so many rows (what one chunk touches may come on top), */
  readonly batchRowsMax: number;
  /** or asks for so many decisions (likewise), */
  readonly batchCallsMax: number;
  /** or so many bytes of the log, */
  readonly batchBytesMax: number;
  /** or when its first record has waited so long. */
  readonly lingerMs: number;
  /**
   * As `lingerMs`, of a processor's batch that would move its positions and nothing else. Nobody
   * waits for that, and what is read again after a crash leads to nothing again.
   */
  readonly positionLingerMs: number;
  /**
   * A batch that isn't full waits three times as long as the flush before it took, at most so long:
   * where the store is busy, few flushes of many records leave more of it to all.
   */
  readonly restMaxMs: number;
  /** In a process that is busy it waits eight times as long, at most so long. */
  readonly busyRestMaxMs: number;
  /** Records decoded before their rows are loaded, with one query. */
  readonly chunkRecordsMax: number;
  /** Rows kept between flushes. Those of an open batch and of a flush in flight come on top. */
  readonly hotRowsMax: number;
  /** Records that may wait behind dead letters, for each partition: one more halts it. */
  readonly waitingLettersMax: number;
  /** Records that may have failed and be neither redriven nor discarded, likewise. */
  readonly failedLettersMax: number;
  readonly backoff: BackoffOptions;
}

export const defaultTaskLimits: TaskLimits = {
  batchRecordsMax: 10_000,
  batchRowsMax: 10_000,
  batchCallsMax: 1_000,
  batchBytesMax: 16 * 1024 * 1024,
  lingerMs: 10,
  positionLingerMs: 250,
  restMaxMs: 100,
  busyRestMaxMs: 250,
  chunkRecordsMax: 10_000,
  hotRowsMax: 50_000,
  waitingLettersMax: 1_000,
  failedLettersMax: 1_000,
  backoff: defaultBackoff,
};

/**
 * Where a projection is behind, a flush of many records costs as much as one of few that touch the
 * same rows: with as many rows as a chunk may touch, each chunk of 10,000 keys would be a flush.
 */
export const projectionLimits: Partial<TaskLimits> = {
  batchRecordsMax: 50_000,
  batchRowsMax: 20_000,
};

/**
 * A processor's flush decides about each of its records in one transaction, for whose locks all who
 * append wait: small ones let this process decide while the store appends. Positions alone move by
 * as many records as there are.
 */
export const processorLimits: Partial<TaskLimits> = { chunkRecordsMax: 1_000 };

/** The limits that count. */
const counts = [
  "batchRecordsMax",
  "batchRowsMax",
  "batchCallsMax",
  "batchBytesMax",
  "chunkRecordsMax",
  "hotRowsMax",
] as const;

/** @throws RangeError naming every fault. */
export function taskLimits(given: Partial<TaskLimits> = {}): TaskLimits {
  const limits = { ...defaultTaskLimits, ...given };
  const faults = counts.filter((name) => !Number.isInteger(limits[name]) || limits[name] < 1);
  const texts: string[] = faults.map((name) => `${name} must be 1 or more`);
  if (!(limits.lingerMs >= 0)) texts.push("lingerMs must not be negative");
  if (!(limits.positionLingerMs >= 0)) texts.push("positionLingerMs must not be negative");
  if (!(limits.restMaxMs >= 0)) texts.push("restMaxMs must not be negative");
  if (!(limits.busyRestMaxMs >= 0)) texts.push("busyRestMaxMs must not be negative");
  if (!(limits.failedLettersMax >= 0)) texts.push("failedLettersMax must not be negative");
  if (!(limits.waitingLettersMax >= 0)) texts.push("waitingLettersMax must not be negative");
  if (!(limits.backoff.attemptsMax >= 1)) texts.push("backoff.attemptsMax must be 1 or more");
  if (texts.length > 0) throw new RangeError(`Task limits: ${texts.join("; ")}.`);
  return limits;
}
