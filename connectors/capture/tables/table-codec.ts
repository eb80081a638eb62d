import type { AvroWriter } from "../avro-writer.ts";
import { nothing, present, unchanged, type Tuple } from "../pgoutput/tuple.ts";
import { unrepresentable } from "../types/converter.ts";
import type { CodedColumn, CodedTable } from "./coded-table.ts";

export type { CodedColumn, CodedTable } from "./coded-table.ts";

/** Writes a whole row; `old` gives the values that the new row leaves unsent. */
export function writeRow(
  to: AvroWriter,
  table: CodedTable,
  rows: { row: Tuple; old?: Tuple },
): void {
  const { row, old } = rows;
  const { told } = table;
  for (let index = 0; index < told.length; index++) {
    const column = told[index] as CodedColumn;
    const { at } = column;
    const known = row.kind[at] === unchanged && old?.kind[at] === present ? old : row;
    writeValue(to, column, known, table.missing);
  }
}

/** Writes the row that a delete tells only the key of: the other columns get what stands for them. */
export function writeKeyOnlyRow(to: AvroWriter, table: CodedTable, row: Tuple): void {
  for (const column of table.told) {
    if (row.kind[column.at] === present) writeValue(to, column, row, table.missing);
    else writeMissing(to, column);
  }
}

/** The record's key: its columns, in its order. */
export function writeKey(to: AvroWriter, table: CodedTable, row: Tuple): void {
  for (const column of table.keyColumns) writeValue(to, column, row, table.missing);
}

/** One column's value, as it stands in the row. */
export function writeColumn(
  to: AvroWriter,
  column: CodedColumn,
  { row, missing }: { readonly row: Tuple; readonly missing: CodedTable["missing"] },
): void {
  writeValue(to, column, row, missing);
}

/** Null, or what stands for it: the default where there is one, otherwise the type's zero. */
function writeMissing(to: AvroWriter, column: CodedColumn): void {
  const { nullable, converter } = column;
  if (converter.writeNull) {
    if (nullable) to.byte(column.default ? valueBeforeNull : valueAfterNull);
    converter.writeNull(to);
  } else if (column.default) {
    // The default's own branch is the first of a nullable column's union.
    if (nullable) to.byte(valueBeforeNull);
    const bytes = Buffer.from(column.default.text, "utf8");
    if (bytes.length > 0) converter.write(to, bytes, 0, bytes.length);
    else converter.writeFallback(to);
  } else if (nullable) to.byte(nullBranch);
  else converter.writeFallback(to);
}

/** Branches of a nullable column's union: null comes first, unless the column has a default. */
const nullBranch = 0;
const valueAfterNull = 2;
const valueBeforeNull = 0;

function writeValue(
  to: AvroWriter,
  column: CodedColumn,
  tuple: Tuple,
  missing: CodedTable["missing"],
): void {
  const { at, nullable, converter } = column;
  const kind = tuple.kind[at];
  if (kind === present) {
    if (nullable) to.byte(column.default ? valueBeforeNull : valueAfterNull);
    const { bytes, start, end } = tuple;
    converter.write(to, bytes, start[at] as number, end[at] as number);
  } else if (kind === nothing && (nullable || missing === "filled")) {
    writeMissing(to, column);
  } else if (kind === unchanged && converter.writeUnavailable) {
    if (nullable) to.byte(column.default ? valueBeforeNull : valueAfterNull);
    converter.writeUnavailable(to);
  } else {
    throw unrepresentable(
      kind === unchanged ? "(unchanged, stored out of line)" : "null",
      `${column.sqlType} in column ${column.name}`,
    );
  }
}
