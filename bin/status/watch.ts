import type { Clock } from "../../engine/ports/clock.ts";
import { isKnown, looksMax, watched, type WatchedReport } from "./progress.ts";
import type { StatusReport } from "./report.ts";
import { stalledAfterMs } from "./verdict.ts";

export type TakeLook = () => Promise<StatusReport>;

export interface WatchOptions {
  readonly clock: Clock;
  /** From the begin of one look to the begin of the next; a slow one delays the next. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

export interface Watching extends WatchOptions {
  /** Called again after a look that failed: it connects anew where it has to. */
  readonly look: TakeLook;
  readonly show: (report: WatchedReport) => void;
  /** A look has failed; the next one comes in its turn. */
  readonly failed: (error: unknown) => void;
}

/** Looks again and again until the signal; the last `looksMax` looks are the window. */
export async function watch({ look, show, failed, ...options }: Watching): Promise<void> {
  const { clock, intervalMs, signal } = options;
  let window: readonly StatusReport[] = [];
  while (!signal.aborted) {
    const beganMs = clock.monotonicMs();
    try {
      const report = await look();
      window = [...window, report].slice(-looksMax);
      show(watched([window[0] ?? report, ...window.slice(1)]));
    } catch (error) {
      failed(error);
    }
    await clock.sleep(intervalMs - (clock.monotonicMs() - beganMs), signal);
  }
}

/**
 * One answer: a single look where it tells everything, as it does while nothing is behind, and
 * otherwise as many as it takes to tell who moves and who is stalled.
 */
export async function lookUntilKnown(
  look: TakeLook,
  options: WatchOptions,
): Promise<WatchedReport> {
  const { clock, intervalMs, signal } = options;
  const beganMs = clock.monotonicMs();
  const looks: [StatusReport, ...StatusReport[]] = [await look()];
  let report = watched(looks);
  const timeoutMs = stalledAfterMs + 2 * intervalMs;
  while (!isKnown(report) && !signal.aborted && clock.monotonicMs() - beganMs < timeoutMs) {
    await clock.sleep(intervalMs, signal);
    looks.push(await look());
    report = watched(looks);
  }
  return report;
}
