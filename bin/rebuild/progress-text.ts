import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { secondsText } from "./amounts.ts";

/** How far a rebuild is, in one line. */
export function progressText({ progress }: Pick<RebuildRecord, "progress">): string {
  if (progress === undefined) return "not begun";
  const { done, total, recordsPerSecond, liveLagMs, liveLagMaxMs, throttledMs, waiting } = progress;
  const share = total === 0 ? 100 : Math.min(100, Math.floor((done / total) * 100));
  return [
    `${share} %`,
    `${done} of ${total} events`,
    `${Math.round(recordsPerSecond)}/s`,
    ...etaText(progress),
    `live lag ${Math.round(liveLagMs)} ms (most ${Math.round(liveLagMaxMs)})`,
    ...(throttledMs > 0 ? [`waited ${secondsText(throttledMs / 1_000)} for live traffic`] : []),
    ...(waiting === undefined ? [] : [waiting]),
  ].join(", ");
}

/**
 * How fast it is filled now. What was written down last says nothing when its conductor has died, or
 * when all is filled.
 */
export const recordsPerSecondOf = ({
  state,
  conductor,
  progress,
}: Pick<RebuildRecord, "state" | "conductor" | "progress">): number =>
  state === "filling" && conductor !== undefined ? (progress?.recordsPerSecond ?? 0) : 0;

/** Seconds that are left at the pace of late; undefined where that can't be told. */
export function secondsLeft({ progress }: Pick<RebuildRecord, "progress">): number | undefined {
  if (progress === undefined || progress.recordsPerSecond <= 0) return undefined;
  return Math.max(0, progress.total - progress.done) / progress.recordsPerSecond;
}

function etaText(progress: NonNullable<RebuildRecord["progress"]>): string[] {
  const left = secondsLeft({ progress });
  return left === undefined || left === 0 ? [] : [`${secondsText(left)} left`];
}
