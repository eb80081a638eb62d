import type { DifferingRow } from "../../engine/rebuild/index.ts";
import { jsonOf } from "../log/printable.ts";
import { table } from "../table.ts";
import { valueText } from "./rows-text.ts";

/** What the two sides of a comparison are called. */
export interface Sides {
  readonly live: string;
  readonly shadow: string;
}

/** Keeps the first of the rows that differ. */
export class DifferenceSamples {
  readonly rows: DifferingRow[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  readonly take = (row: DifferingRow): void => {
    if (this.rows.length < this.#most) this.rows.push(row);
  };
}

/** Two versions of rows side by side, a line for each field that differs. */
export function differencesTable(rows: readonly DifferingRow[], sides: Sides): string {
  const cells = rows.flatMap(({ key, live, shadow, fields }) => {
    if (live === undefined) return [[key, "(row)", "-", jsonOf(shadow)]];
    if (shadow === undefined) return [[key, "(row)", jsonOf(live), "-"]];
    return fields.map((field) => [key, field, valueText(live[field]), valueText(shadow[field])]);
  });
  return table(["key", "field", sides.live, sides.shadow], cells);
}

export const differenceJson = (
  { key, live, shadow, fields }: DifferingRow,
  sides: Sides,
): Readonly<Record<string, unknown>> => ({
  key,
  [sides.live]: live ?? null,
  [sides.shadow]: shadow ?? null,
  fields,
});
