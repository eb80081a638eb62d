import { appendFile, writeFile } from "node:fs/promises";

import type { Pool } from "pg";

import { registrationsFile } from "./oulad-files.ts";
import type { ImportPlan, UnusableRow } from "./oulad-plan.ts";

/** What the read models hold of the imported modules. */
export interface ImportCounts {
  readonly registrations: number;
  readonly withdrawals: number;
  readonly seatsTaken: number;
}

interface CountsRow {
  readonly registrations: number;
  readonly withdrawals: number;
  readonly seats: number;
}

/** Counted in the read models themselves, so that they show what a query would. */
export async function countOutcome(pool: Pool, plan: ImportPlan): Promise<ImportCounts> {
  const { rows } = await pool.query<CountsRow>(
    `select r.*, a.* from (
       select count(*)::int as registrations,
         (count(*) filter (where reason = 'WITHDRAWN'))::int as withdrawals
       from read."registrations" where module_code = any($1)) r,
     (select coalesce(sum(held + confirmed), 0)::int as seats
       from read."seat-availability" where module_code = any($1)) a`,
    [plan.modules.map((module) => module.code)],
  );
  const { registrations = 0, withdrawals = 0, seats = 0 } = rows[0] ?? {};
  return { registrations, withdrawals, seatsTaken: seats };
}

/** What a run did, and how fast. */
export function speedText({ events, elapsedMs }: { events: number; elapsedMs: number }): string {
  const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
  const rate = Math.round(events / (elapsedMs / 1_000));
  return `${numbers.format(events)} events in ${numbers.format(elapsedMs / 1_000)} s (${numbers.format(rate)}/s)`;
}

/** The import's last words. */
export function outcomeText(plan: ImportPlan, counts: ImportCounts): string {
  const numbers = new Intl.NumberFormat("en");
  const refused = plan.registrations - counts.registrations;
  return [
    `${numbers.format(counts.registrations)} registrations, ${numbers.format(counts.withdrawals)} withdrawals, ` +
      `${numbers.format(counts.seatsTaken)} seats taken in ${plan.modules.length} modules`,
    ...(refused > 0
      ? [`${numbers.format(refused)} registrations were refused: the module was full`]
      : []),
    ...unusableText(plan.unusable),
  ].join("\n");
}

/** The rows that were left out, by reason, each with its lines in the file. */
function unusableText(rows: readonly UnusableRow[]): string[] {
  if (rows.length === 0) return ["no row was left out"];
  const byReason = new Map<string, number[]>();
  for (const { line, reason } of rows) {
    byReason.set(reason, [...(byReason.get(reason) ?? []), line]);
  }
  return [
    `${rows.length} rows of ${registrationsFile} were left out:`,
    ...[...byReason].map(
      ([reason, lines]) => `  ${reason} (${lines.length}): lines ${lines.join(", ")}`,
    ),
  ];
}

/** The same as CSV, one row a line. */
export async function writeReport(path: string, rows: readonly UnusableRow[]): Promise<void> {
  await writeFile(path, "line,reason\n");
  await appendFile(path, rows.map(({ line, reason }) => `${line},"${reason}"\n`).join(""));
}
