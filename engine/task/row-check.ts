import type { AnyRow, Columns } from "../columns.ts";
import { RecordError } from "../errors.ts";
import { valueFault } from "../stored-row.ts";

/**
 * Checks that a row is what every store keeps, so that a bad fold is found at its record and never
 * in a store, where nobody can tell which record did it.
 */
export function rowCheck(columns: Columns): (row: AnyRow, key: string) => void {
  const list = Object.entries(columns);
  return (row, key) => {
    for (let index = 0; index < list.length; index += 1) {
      const [name, column] = list[index] as (typeof list)[number];
      const fault = valueFault(column, row[name]);
      if (fault !== undefined) throw misfit(key, `the column ${name} (${column.kind}) ${fault}`);
    }
  };
}

/** @throws RecordError `key-invalid` for a key that no store keeps. */
export function checkKey(key: string): void {
  if (key.includes("\0") || !key.isWellFormed()) {
    throw new RecordError(
      "key-invalid",
      `The row's key ${JSON.stringify(key)} holds a NUL character or half of a surrogate pair.`,
    );
  }
}

function misfit(key: string, fault: string): RecordError {
  return new RecordError(
    "row-invalid",
    `In the row ${key}, ${fault}. The fold that made it is wrong for this event.`,
  );
}
