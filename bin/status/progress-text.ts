import { secondsText } from "../rebuild/amounts.ts";
import type { WatchedConsumer, WatchedReport } from "./progress.ts";

/** Of a lag of 0 that stays there is nothing to tell. */
export const trendText = ({ lagRecords, progress: { trend } }: WatchedConsumer): string =>
  trend === null || (trend === "steady" && lagRecords === 0) ? "-" : trend;

/** As it was seen from outside; from one look, as the processes say. */
export const rateText = ({ recordsPerSecond, progress }: WatchedConsumer): string =>
  (progress.appliedPerSecond ?? recordsPerSecond).toFixed(0);

/** Until the slowest partition has caught up. */
export function etaText({ lagRecords, progress }: WatchedConsumer): string {
  const { trend, secondsLeft } = progress;
  if (lagRecords === 0) return "-";
  if (secondsLeft !== null) return secondsText(secondsLeft);
  return trend === null ? "?" : "never like this";
}

/** A line for each consumer, each whole in itself, for a pipe. */
export function watchedLines(report: WatchedReport): string[] {
  return report.consumers.map((one) => {
    const { name, state, lagRecords, lagSeconds, progress } = one;
    const { verdict, slowest } = progress;
    const told = [
      `${report.at} ${name}: ${verdict ?? "not known yet"} (${state})`,
      `${lagRecords} records and ${lagSeconds.toFixed(1)} s behind`,
      ...(trendText(one) === "-" ? [] : [trendText(one)]),
      `${rateText(one)} records/s`,
      ...(slowest === null ? [] : [`left ${etaText(one)}, by ${slowest}`]),
      ...(one.reason === null ? [] : [one.reason]),
    ];
    return told.join(", ");
  });
}
