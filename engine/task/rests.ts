import type { TaskLimits } from "./limits.ts";

export type RestLimits = Pick<TaskLimits, "restMaxMs" | "busyRestMaxMs">;

/** Of a process that is at work for so much of its time, whatever comes waits for a turn of it. */
const busyFrom = 0.95;

/** A rest is so many times as long as the flush before it. */
const restsPerFlush = 3;
const restsPerFlushWhenBusy = 8;

/**
 * How long a batch that isn't full waits after a flush, in milliseconds: where the store or this
 * process is busy, few flushes of many records leave more of it to all.
 *
 * @param tookMs The flush before, from its beginning to its end.
 * @param busy See `Load`.
 */
export function restMs(tookMs: number, busy: number, limits: RestLimits): number {
  return busy < busyFrom
    ? Math.min(restsPerFlush * tookMs, limits.restMaxMs)
    : Math.min(restsPerFlushWhenBusy * tookMs, limits.busyRestMaxMs);
}
