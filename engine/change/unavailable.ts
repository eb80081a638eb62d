import type { AnyRow } from "../columns.ts";
import { RecordError } from "../errors.ts";

/** The text that stands for an unchanged large value which the changelog leaves out. */
export const unavailableValue = "__debezium_unavailable_value";

/**
 * The change's row with what the changelog left out (an unchanged large value) taken from the held
 * row, where that has a column of the same name. What is left is settled after the fold, by
 * `keepUnavailable`.
 */
export function filledIn(source: AnyRow, held: AnyRow | undefined): AnyRow {
  let filled: Record<string, unknown> | undefined;
  for (const name of Object.keys(source)) {
    if (source[name] !== unavailableValue || held?.[name] === undefined) continue;
    filled ??= { ...source };
    filled[name] = held[name];
  }
  return filled ?? source;
}

/**
 * Columns that a fold has filled with the placeholder keep what the row had.
 *
 * @throws RecordError `unavailable-value` when there was no row to keep it from.
 */
export function keepUnavailable(after: AnyRow, before: AnyRow | undefined, key: string): AnyRow {
  let kept: Record<string, unknown> | undefined;
  for (const name of Object.keys(after)) {
    if (after[name] !== unavailableValue) continue;
    if (before?.[name] === undefined) throw unavailable(key, name);
    kept ??= { ...after };
    kept[name] = before[name];
  }
  return kept ?? after;
}

const unavailable = (key: string, name: string): RecordError =>
  new RecordError(
    "unavailable-value",
    `The change of ${key} leaves out the large value of ${name}, and there is no earlier row to ` +
      `take it from. Set the table's REPLICA IDENTITY to FULL, or touch the row with that value.`,
  );
