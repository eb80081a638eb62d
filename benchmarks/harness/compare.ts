import type { FigureResult, RunResult, WorkloadResult } from "./result.ts";
import { leastProbability, mannWhitney } from "./mann-whitney.ts";

/** A difference that chance makes as often as this, or less often, counts as a change. */
export const chanceMax = 0.05;

export type Verdict =
  | "better"
  | "worse"
  /** Chance alone makes differences such as this one. */
  | "within the noise"
  /** Too few repeats for any difference to be told from chance. */
  | "too few repeats"
  /** Only one of the runs has it. */
  | "not in both"
  /** The runs were given different settings. */
  | "other settings";

export interface Change {
  readonly workload: string;
  readonly figure: string;
  readonly unit: string;
  readonly verdict: Verdict;
  /** Medians; undefined where a run doesn't have the figure. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** How often chance alone would make such a difference; undefined where it wasn't asked. */
  readonly chance?: number;
}

/** What has changed of each figure from one run to another. */
export function compareRuns(before: RunResult, after: RunResult): readonly Change[] {
  const names = new Set([...before.workloads, ...after.workloads].map(({ name }) => name));
  const named = (run: RunResult, name: string) => run.workloads.find((one) => one.name === name);
  return [...names].flatMap((name) =>
    compareWorkloads(name, named(before, name), named(after, name)),
  );
}

function compareWorkloads(
  workload: string,
  before: WorkloadResult | undefined,
  after: WorkloadResult | undefined,
): Change[] {
  const figures = [...(before?.figures ?? []), ...(after?.figures ?? [])];
  const sameSettings = !before || !after || equalSettings(before, after);
  return [...new Set(figures.map(({ name }) => name))].map((name) => {
    const one = before?.figures.find((figure) => figure.name === name);
    const other = after?.figures.find((figure) => figure.name === name);
    const { unit } = (one ?? other) as FigureResult;
    const medians = { before: one?.median, after: other?.median };
    const told = { workload, figure: name, unit, ...medians };
    if (!one || !other || one.unit !== other.unit) return { ...told, verdict: "not in both" };
    if (!sameSettings) return { ...told, verdict: "other settings" };
    return { ...told, ...judge(one, other) };
  });
}

function equalSettings(one: WorkloadResult, other: WorkloadResult): boolean {
  const names = new Set([...Object.keys(one.settings), ...Object.keys(other.settings)]);
  return [...names].every((name) => one.settings[name] === other.settings[name]);
}

export type Judged = Pick<FigureResult, "samples" | "better">;

/** Whether a figure's samples have changed beyond what chance makes of its repeats. */
export function judge(before: Judged, after: Judged): Pick<Change, "verdict" | "chance"> {
  const { samples: one } = before;
  const { samples: other } = after;
  if (leastProbability(one.length, other.length) > chanceMax) return { verdict: "too few repeats" };
  const chance = mannWhitney(one, other);
  if (chance > chanceMax) return { verdict: "within the noise", chance };
  return { verdict: isMore(one, other) === (after.better === "more") ? "better" : "worse", chance };
}

/** Whether values of the second sample are above those of the first more often than below. */
function isMore(one: readonly number[], other: readonly number[]): boolean {
  let balance = 0;
  for (const value of one) for (const later of other) balance += Math.sign(later - value);
  return balance > 0;
}
