/** What a figure stands for in its run. */
export type FigureRole =
  /** What the workload asks for. */
  | "measured"
  /** What the same work would reach without the part that is asked for: nothing can be above it. */
  | "ceiling"
  /** The same work by other means, on the same data and the same server. */
  | "peer";

/** One figure of one repeat. */
export interface Figure {
  /** Unique within its workload, and the same in every run: runs are compared by it. */
  readonly name: string;
  /** Such as `events/s`, `ms` or `µs/event`. */
  readonly unit: string;
  readonly value: number;
  readonly better: "more" | "less";
  readonly role: FigureRole;
  /** Name of the ceiling that it stands below, where its workload has several of its unit. */
  readonly ceiling?: string;
}

/** What a program tells the harness. */
export type Told =
  | { readonly kind: "figure"; readonly figure: Figure }
  /** What was compared with what before the figures counted: a sentence. */
  | { readonly kind: "checked"; readonly what: string }
  /** What the figures depend on beside the settings: a sentence. */
  | { readonly kind: "note"; readonly what: string }
  /** What the settings ask for and this machine can't give, with the reason: a sentence. */
  | { readonly kind: "left-out"; readonly what: string };

export const isTold = (message: unknown): message is Told =>
  typeof message === "object" &&
  message !== null &&
  ["figure", "checked", "note", "left-out"].includes((message as { kind?: string }).kind ?? "");

/** A value with as many digits as it has meaning. */
export function valueText(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}
