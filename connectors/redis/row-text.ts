import type { AnyRow, Column, Columns } from "../../engine/columns.ts";

/**
 * Rows as JSON objects, one field for each column. What JSON numbers can't hold is text: 64-bit
 * whole numbers, NaN, the infinities and negative zero.
 */
export class RowText {
  readonly #columns: readonly (readonly [name: string, column: Column])[];

  constructor(columns: Columns) {
    this.#columns = Object.entries(columns);
  }

  encode(row: AnyRow): string {
    const plain: Record<string, unknown> = {};
    for (const [name, { kind }] of this.#columns) {
      const value = row[name] ?? null;
      if (kind === "bigint" && value !== null) plain[name] = (value as bigint).toString();
      else if (kind === "double" && value !== null) plain[name] = plainDouble(value as number);
      else plain[name] = value;
    }
    return JSON.stringify(plain);
  }

  decode(text: string): AnyRow {
    const plain = JSON.parse(text) as Record<string, unknown>;
    const row: Record<string, unknown> = {};
    for (const [name, { kind }] of this.#columns) {
      const value = plain[name] ?? null;
      if (kind === "bigint" && value !== null) row[name] = BigInt(value as string);
      else if (kind === "double" && value !== null) row[name] = Number(value);
      else row[name] = value;
    }
    return row;
  }
}

function plainDouble(value: number): number | string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}
