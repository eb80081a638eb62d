import { durationMs, timeMs } from "../../api/rebuilds/from.ts";
import { CommandFailure } from "../command-failure.ts";
import { systemClock } from "../system-clock.ts";

/** An ISO 8601 time, or a time ago. @throws CommandFailure `usage`. */
export function timeNamed(text: string): number {
  const agoMs = durationMs(text);
  const atMs = agoMs === undefined ? timeMs(text) : systemClock.nowMs() - agoMs;
  if (atMs !== undefined) return atMs;
  throw new CommandFailure(
    "usage",
    `${text} is neither an ISO 8601 time like 2014-02-01T00:00:00Z nor a time ago like 24h.`,
  );
}
