import type { Histogram } from "hdr-histogram-js";

import { type Figure, type Told, valueText } from "./figure.ts";

/**
 * Tells a figure to the harness that runs this program, or prints it where the program was started
 * by itself. Figures are told once the result has been checked.
 */
export function tell(figure: Figure): void {
  const { name, unit, value, role } = figure;
  const as = role === "measured" ? "" : ` (${role})`;
  say({ kind: "figure", figure }, `${name}${as}: ${valueText(value)} ${unit}`);
}

/** Tells what was compared with what. */
export function tellChecked(what: string): void {
  say({ kind: "checked", what }, `checked: ${what}`);
}

/** Tells what the figures depend on beside the settings: a server's durability, a peer's version. */
export function tellNote(what: string): void {
  say({ kind: "note", what }, `note: ${what}`);
}

/** Tells what can't be measured here, and why. */
export function tellLeftOut(what: string): void {
  say({ kind: "left-out", what }, `left out: ${what}`);
}

export interface Rate {
  readonly name: string;
  /** What is counted, in the plural: `events`. */
  readonly of: string;
  readonly count: number;
  readonly seconds: number;
  readonly role?: Figure["role"];
  readonly ceiling?: string;
}

export function tellRate({ name, of, count, seconds, role = "measured", ceiling }: Rate): void {
  const figure = { name, unit: `${of}/s`, value: count / seconds, better: "more", role } as const;
  tell(ceiling === undefined ? figure : { ...figure, ceiling });
}

export interface Latencies {
  readonly name: string;
  readonly histogram: Histogram;
  /** How many of the histogram's units make a millisecond. */
  readonly unitsPerMs: number;
}

/** Tells p50, p99, p99.9 and the largest. */
export function tellLatencies({ name, histogram, unitsPerMs }: Latencies): void {
  const figures: readonly (readonly [string, number])[] = [
    ["p50", histogram.getValueAtPercentile(50)],
    ["p99", histogram.getValueAtPercentile(99)],
    ["p99.9", histogram.getValueAtPercentile(99.9)],
    ["largest", histogram.maxValue],
  ];
  for (const [which, value] of figures) {
    const ms = value / unitsPerMs;
    tell({ name: `${name}, ${which}`, unit: "ms", value: ms, better: "less", role: "measured" });
  }
}

function say(told: Told, line: string): void {
  if (process.send === undefined) console.log(line);
  else process.send(told);
}
