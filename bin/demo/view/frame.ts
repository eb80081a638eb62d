import { styleText } from "node:util";

import type { Crowd } from "../crowd/crowd.ts";
import type { Troubles } from "../crowd/keyed-sender.ts";
import type { SeatsSeen, Sight } from "./sight.ts";

/** One moment of the rush, to be shown. */
export interface Frame {
  /** Since the rush's begin. */
  readonly seconds: number;
  readonly crowd: Pick<Crowd, "arrived" | "settled" | "told" | "latencies">;
  readonly wishes: number;
  readonly settledPerSecond: number;
  readonly troubles: Troubles;
  /** undefined: the server is down. */
  readonly sight: Sight | undefined;
}

const number = (n: number): string => Math.round(n).toLocaleString("en");

function counts(of: ReadonlyMap<string, number>): string {
  const entries = [...of].sort(([, one], [, other]) => other - one);
  return entries.map(([name, n]) => `${name} ${number(n)}`).join(", ") || "none";
}

function headOf({ seconds, crowd, wishes, settledPerSecond }: Frame): string {
  const { arrived, settled, latencies } = crowd;
  return (
    `${String(Math.round(seconds)).padStart(3)} s  ${number(arrived)} of ${number(wishes)} came, ` +
    `${number(settled)} answered, ${number(settledPerSecond)}/s, ` +
    `p50 ${number(latencies.percentile(50))} ms, p99 ${number(latencies.percentile(99))} ms`
  );
}

function behindText({ sight }: Frame): string {
  if (sight === undefined) return "the server is down";
  return sight.behind.size === 0 ? "nothing" : `${counts(sight.behind)} (records)`;
}

const troublesText = ({ troubles: { broken, putOff, failed } }: Frame): string =>
  `${number(broken)} broken connections, ${number(putOff)} answers 429 or 503` +
  (failed === 0 ? "" : `, ${number(failed)} answers 5xx`);

/** For a log: one line. */
export function lineOf(frame: Frame): string {
  const { crowd, sight } = frame;
  const seats = sight?.seats ?? [];
  const taken = seats.reduce((sum, { held, confirmed }) => sum + held + confirmed, 0);
  const all = seats.reduce((sum, { capacity }) => sum + capacity, 0);
  const parts = [
    headOf(frame),
    ...(sight === undefined ? [] : [`seats: ${number(taken)} of ${number(all)} taken`]),
    `refused: ${counts(crowd.told.refused)}`,
    ...(sight === undefined ? [] : [`payments: ${counts(sight.payments)}`]),
    `behind: ${behindText(frame)}`,
    `retried: ${troublesText(frame)}`,
  ];
  return parts.join("; ");
}

/** For a terminal: several lines, written over by the next. */
export function linesOf(frame: Frame, columns: number): readonly string[] {
  const { crowd, sight } = frame;
  return [
    styleText("bold", headOf(frame)),
    "",
    ...seatsLines(sight?.seats ?? [], columns),
    "",
    `refused   ${counts(crowd.told.refused)}`,
    `payments  ${counts(sight?.payments ?? new Map())}`,
    `behind    ${behindText(frame)}`,
    `retried   ${troublesText(frame)}`,
  ];
}

const barWidth = 16;
const titleWidth = 15;

/** Side by side where there is room. */
function seatsLines(seats: readonly SeatsSeen[], columns: number): readonly string[] {
  const wide = columns >= 2 * (barWidth + titleWidth + 25);
  const rows = wide ? Math.ceil(seats.length / 2) : seats.length;
  return Array.from({ length: rows }, (_, at) =>
    [seats[at], wide ? seats[at + rows] : undefined]
      .flatMap((one) => (one === undefined ? [] : [seatsText(one)]))
      .join("   "),
  );
}

function seatsText({ code, title, capacity, held, confirmed }: SeatsSeen): string {
  const cells = (seats: number): number =>
    capacity === 0 ? 0 : Math.min(barWidth, Math.round((seats / capacity) * barWidth));
  const solid = cells(confirmed);
  const taken = Math.max(solid, cells(confirmed + held));
  const bar =
    styleText("green", "█".repeat(solid)) +
    styleText("yellow", "▓".repeat(taken - solid)) +
    "░".repeat(barWidth - taken);
  const free = Math.max(0, capacity - held - confirmed);
  const left = free === 0 ? styleText("red", "full".padStart(9)) : `${free} free`.padStart(9);
  return `${code} ${title.slice(0, titleWidth).padEnd(titleWidth)} ${bar} ${left}`;
}
