import type { Figure } from "./figure.ts";
import type { Surroundings } from "./surroundings.ts";
import type { SettingValues, Workload } from "./workload.ts";

/** What one repeat of a workload has told. */
export interface Repeat {
  readonly figures: readonly Figure[];
  readonly checked: readonly string[];
  readonly notes: readonly string[];
  readonly leftOut: readonly string[];
  /** Why it counts for nothing: its check failed, or the program did. */
  readonly failure?: string;
}

/** With how long it took, its servers and its check included. */
export interface TimedRepeat extends Repeat {
  readonly seconds: number;
}

/** A figure of all repeats. */
export interface FigureResult extends Omit<Figure, "value"> {
  /** In the order of the repeats. */
  readonly samples: readonly number[];
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

export interface WorkloadResult {
  readonly name: string;
  readonly question: string;
  readonly warmUp: string;
  readonly settings: SettingValues;
  readonly checked: readonly string[];
  readonly notes: readonly string[];
  readonly leftOut: readonly string[];
  readonly figures: readonly FigureResult[];
  /** That all repeats took together. */
  readonly seconds: number;
  readonly failure?: string;
}

/** What is printed by `--json` and kept by `--save`. */
export interface RunResult extends Surroundings {
  readonly format: 1;
  readonly workloads: readonly WorkloadResult[];
}

/** A run with a failed repeat has no figures: one wrong result puts all of them in doubt. */
export function workloadResult(
  { name, question, warmUp }: Workload,
  settings: SettingValues,
  repeats: readonly TimedRepeat[],
): WorkloadResult {
  const failure = repeats.find((repeat) => repeat.failure !== undefined)?.failure;
  const told = {
    checked: distinct(repeats.flatMap(({ checked }) => checked)),
    notes: distinct(repeats.flatMap(({ notes }) => notes)),
    leftOut: distinct(repeats.flatMap(({ leftOut }) => leftOut)),
  };
  const figures = failure === undefined ? gathered(repeats.flatMap(({ figures }) => figures)) : [];
  const seconds = repeats.reduce((sum, repeat) => sum + repeat.seconds, 0);
  const result = { name, question, warmUp, settings, ...told, figures, seconds };
  return failure === undefined ? result : { ...result, failure };
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

function gathered(figures: readonly Figure[]): FigureResult[] {
  const byName = Map.groupBy(figures, ({ name }) => name);
  return [...byName.values()].map((of) => {
    const { value: _, ...first } = of[0] as Figure;
    const samples = of.map(({ value }) => value);
    const sorted = samples.toSorted((one, other) => one - other);
    const minimum = sorted[0] as number;
    const maximum = sorted.at(-1) as number;
    return { ...first, samples, median: medianOf(sorted), minimum, maximum };
  });
}

/** Of values in their order; at least one. */
export function medianOf(sorted: readonly number[]): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}
