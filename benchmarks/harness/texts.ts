import { table } from "../../bin/table.ts";
import type { Change } from "./compare.ts";
import { valueText } from "./figure.ts";
import type { FigureResult, WorkloadResult } from "./result.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Setting, SettingValues, Workload } from "./workload.ts";

/** What a run's figures depend on, for people. */
export function surroundingsText(run: Surroundings): string {
  const { machine, versions, revision } = run;
  const memory = (machine.memoryBytes / 2 ** 30).toFixed(1);
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `machine   ${machine.processors} x ${machine.processor}, ${memory} GiB, ${machine.system}`,
    `load      ${machine.loadBefore.toFixed(1)} before the run${loadAdvice(machine)}`,
    `versions  ${packages.join(", ")}`,
    `revision  ${revision.commit}${revision.dirty ? ", with files that differ from it" : ""}`,
    `started   ${run.startedAt}`,
  ].join("\n");
}

const loadAdvice = ({ loadBefore, processors }: Surroundings["machine"]): string =>
  loadBefore > processors / 2 ? ": other work takes part of the machine" : "";

export const settingsText = (settings: SettingValues): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ") || "none";

/** Printed before a workload runs. */
export const beginText = (workload: Workload, settings: SettingValues): string =>
  [
    `== ${workload.name}: ${workload.question}`,
    `settings  ${settingsText(settings)}`,
    `warm-up   ${workload.warmUp}`,
  ].join("\n");

/** Printed when all repeats of a workload have ended. */
export function resultText(result: WorkloadResult): string {
  const { failure, checked, notes, leftOut, figures, seconds } = result;
  return [
    ...checked.map((what) => `checked   ${what}`),
    ...notes.map((what) => `note      ${what}`),
    ...leftOut.map((what) => `left out  ${what}`),
    ...(failure === undefined ? [] : [`FAILED    ${failure}`]),
    ...(figures.length === 0 ? [] : [figuresText(figures)]),
    `took      ${seconds.toFixed(0)} s`,
  ].join("\n");
}

function figuresText(figures: readonly FigureResult[]): string {
  const repeated = figures.some(({ samples }) => samples.length > 1);
  const spread = repeated ? ["minimum", "maximum", "repeats"] : [];
  const rows = figures.map((figure) => {
    const { name, unit, role, median, minimum, maximum, samples } = figure;
    const values = [valueText(minimum), valueText(maximum), String(samples.length)];
    const of = role === "measured" ? shareOfCeiling(figure, figures) : role;
    return [name, valueText(median), unit, ...(repeated ? values : []), of];
  });
  alignNumbers(rows, repeated ? [1, 3, 4, 5] : [1]);
  return table(["figure", repeated ? "median" : "value", "unit", ...spread, ""], rows);
}

/** Numbers with commas stand to the right, so that their digits do. */
function alignNumbers(rows: string[][], columns: readonly number[]): void {
  for (const column of columns) {
    const width = Math.max(...rows.map((row) => row[column]?.length ?? 0));
    for (const row of rows) row[column] = (row[column] ?? "").padStart(width);
  }
}

/** A figure beside its ceiling in the same run: the one that it names, or the lowest of its unit. */
function shareOfCeiling(figure: FigureResult, figures: readonly FigureResult[]): string {
  const { unit, median, ceiling } = figure;
  const ceilings = figures.filter(
    (one) =>
      one.role === "ceiling" &&
      one.unit === unit &&
      (ceiling === undefined || one.name === ceiling),
  );
  if (ceilings.length === 0) return "";
  const lowest = Math.min(...ceilings.map((one) => one.median));
  return `${((median / lowest) * 100).toFixed(0)} % of the ceiling`;
}

/** For `refold bench list`. */
export function catalogueText(workloads: readonly Workload[]): string {
  return workloads
    .map(({ name, question, settings, repeats, onlyNamed }) => {
      const lines = Object.entries(settings).map(settingLine);
      const times = repeats === 1 ? "once" : `${repeats} times`;
      const when = onlyNamed === true ? " Runs only where it is named." : "";
      return [
        `${name}: ${question} Runs ${times} unless --repeats says otherwise.${when}`,
        ...lines,
      ];
    })
    .map((lines) => lines.join("\n"))
    .join("\n");
}

const settingLine = ([name, setting]: readonly [string, Setting]): string => {
  const others = setting.kind === "choice" ? ` (${setting.from.join(" | ")})` : "";
  return `  ${`${name}=${setting.of}`.padEnd(24)} ${setting.what}${others}`;
};

/** For `refold bench compare`. */
export function changesText(changes: readonly Change[]): string {
  const rows = changes.map(({ workload, figure, unit, before, after, verdict, chance }) => [
    workload,
    figure,
    before === undefined ? "" : valueText(before),
    after === undefined ? "" : valueText(after),
    unit,
    differenceText(before, after),
    verdict + (chance === undefined ? "" : ` (chance ${chance.toPrecision(2)})`),
  ]);
  alignNumbers(rows, [2, 3, 5]);
  return table(["workload", "figure", "before", "after", "unit", "", "verdict"], rows);
}

function differenceText(before: number | undefined, after: number | undefined): string {
  if (before === undefined || after === undefined || before === 0) return "";
  const percent = (after / before - 1) * 100;
  return `${percent >= 0 ? "+" : ""}${percent.toFixed(1)} %`;
}
