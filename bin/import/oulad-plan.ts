import type { FileRow, OuladFiles } from "./oulad-files.ts";
import { offeredMs, presentationStartMs, registrationMs, withdrawalMs } from "./oulad-time.ts";

export interface PlannedModule {
  readonly code: string;
  readonly title: string;
  readonly capacity: number;
}

export interface PlannedStep {
  readonly kind: "register" | "withdraw";
  readonly moduleCode: string;
  readonly studentId: string;
}

/** Steps that fall at one time, in the order of the file. */
export interface StepGroup {
  readonly timeMs: number;
  readonly steps: readonly PlannedStep[];
}

/** A row that is left out, and why. */
export interface UnusableRow {
  readonly line: number;
  readonly reason: string;
}

/** What an import does, in event-time order. */
export interface ImportPlan {
  readonly offeredAtMs: number;
  readonly modules: readonly PlannedModule[];
  readonly groups: readonly StepGroup[];
  readonly registrations: number;
  readonly withdrawals: number;
  readonly unusable: readonly UnusableRow[];
}

export interface PlanOptions {
  /** Seats of every module; left out: as many as the file has rows for it. */
  readonly capacity?: number;
}

interface UsableRow {
  readonly moduleCode: string;
  readonly studentId: string;
  readonly registeredAtMs: number;
  readonly withdrawnAtMs: number | undefined;
}

type Sorted = { readonly row: UsableRow } | { readonly unusable: UnusableRow };

/** Orders the rows of the files; pure. */
export function planImport(files: OuladFiles, options: PlanOptions = {}): ImportPlan {
  const offered = new Set(files.courses.map((course) => moduleCodeOf(course)));
  const taken = new Set<string>();
  const sorted = files.registrations.map((row) => sortRow(row, offered, taken));
  const rows = sorted.flatMap((one) => ("row" in one ? [one.row] : []));
  const groups = groupByTime(rows);
  const first = groups[0]?.timeMs ?? 0;
  return {
    offeredAtMs: offeredMs(first),
    modules: planModules(files, options),
    groups,
    registrations: rows.length,
    withdrawals: rows.filter((row) => row.withdrawnAtMs !== undefined).length,
    unusable: sorted.flatMap((one) => ("unusable" in one ? [one.unusable] : [])),
  };
}

const moduleCodeOf = ({ columns }: FileRow): string =>
  `${columns["code_module"] ?? ""}-${columns["code_presentation"] ?? ""}`;

function planModules(files: OuladFiles, options: PlanOptions): PlannedModule[] {
  const counts = new Map<string, number>();
  for (const row of files.registrations) {
    const code = moduleCodeOf(row);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return files.courses.map((course) => {
    const { code_module: module = "", code_presentation: presentation = "" } = course.columns;
    const code = moduleCodeOf(course);
    const capacity = options.capacity ?? counts.get(code) ?? 0;
    return { code, title: `Module ${module}, presentation ${presentation}`, capacity };
  });
}

function sortRow(row: FileRow, offered: ReadonlySet<string>, taken: Set<string>): Sorted {
  const moduleCode = moduleCodeOf(row);
  const studentId = row.columns["id_student"] ?? "";
  const startMs = presentationStartMs(row.columns["code_presentation"] ?? "");
  const registered = dayOf(row.columns["date_registration"]);
  const withdrawn = dayOf(row.columns["date_unregistration"]);
  const reason =
    moduleFault(moduleCode, startMs, offered) ??
    dayFault(registered, withdrawn) ??
    studentFault({ moduleCode, studentId }, taken);
  if (reason !== undefined || startMs === undefined || typeof registered !== "number") {
    return { unusable: { line: row.line, reason: reason ?? "it is incomplete" } };
  }
  taken.add(`${moduleCode} ${studentId}`);
  return {
    row: {
      moduleCode,
      studentId,
      registeredAtMs: registrationMs(startMs, registered),
      withdrawnAtMs: typeof withdrawn === "number" ? withdrawalMs(startMs, withdrawn) : undefined,
    },
  };
}

/** A day relative to the presentation's start. */
type Day = number | "none" | "malformed";

function dayOf(text: string | undefined): Day {
  if (text === undefined || text === "") return "none";
  return /^-?\d{1,5}$/.test(text) ? Number(text) : "malformed";
}

function moduleFault(
  moduleCode: string,
  startMs: number | undefined,
  offered: ReadonlySet<string>,
): string | undefined {
  if (startMs === undefined) return `${moduleCode} names no presentation like 2013B or 2014J`;
  return offered.has(moduleCode) ? undefined : `${moduleCode} is not among the courses`;
}

function dayFault(registered: Day, withdrawn: Day): string | undefined {
  if (registered === "none") return "it has no registration date";
  if (registered === "malformed") return "its registration date is no whole number of days";
  if (withdrawn === "malformed") return "its withdrawal date is no whole number of days";
  if (withdrawn !== "none" && withdrawn < registered) return "it is withdrawn before registered";
  return undefined;
}

function studentFault(
  row: { readonly moduleCode: string; readonly studentId: string },
  taken: ReadonlySet<string>,
): string | undefined {
  if (row.studentId === "") return "it names no student";
  const again = taken.has(`${row.moduleCode} ${row.studentId}`);
  return again ? "an earlier line has this student in this module" : undefined;
}

function groupByTime(rows: readonly UsableRow[]): StepGroup[] {
  const byTime = new Map<number, PlannedStep[]>();
  const add = (timeMs: number, step: PlannedStep): void => {
    const steps = byTime.get(timeMs);
    if (steps) steps.push(step);
    else byTime.set(timeMs, [step]);
  };
  for (const { moduleCode, studentId, registeredAtMs, withdrawnAtMs } of rows) {
    add(registeredAtMs, { kind: "register", moduleCode, studentId });
    if (withdrawnAtMs !== undefined) {
      add(withdrawnAtMs, { kind: "withdraw", moduleCode, studentId });
    }
  }
  return [...byTime].sort(([a], [b]) => a - b).map(([timeMs, steps]) => ({ timeMs, steps }));
}
