import type { AvroWriter } from "../avro-writer.ts";
import { nothing, present, unchanged, type Tuple } from "../pgoutput/tuple.ts";
import type { AvroType, Converter } from "../types/converter.ts";
import { unrepresentable } from "../types/converter.ts";
import type { AvroDefault } from "../types/converter.ts";
import { converterOf } from "../types/resolve.ts";
import type { CatalogueColumn, CatalogueTable } from "./catalogue.ts";
import { avroName } from "./names.ts";

/** A column as it is written. */
export interface CodedColumn {
  readonly name: string;
  readonly sqlType: string;
  readonly converter: Converter;
  readonly nullable: boolean;
  /** As the schema tells it; undefined where it tells none. */
  readonly default: AvroDefault | undefined;
}

/** A table whose rows can be written: columns in the order of its tuples. */
export interface CodedTable {
  readonly columns: readonly CodedColumn[];
  /** Places in a tuple of the primary key's columns, in the key's order. */
  readonly key: readonly number[];
}

/**
 * Pairs the columns that the stream carries with what the catalogue says of them. Types that have
 * no converter must have been refused before (`tableFaults`).
 */
export function codeTable(table: CatalogueTable, columnNames: readonly string[]): CodedTable {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const columns = columnNames.flatMap((name) => {
    const column = byName.get(name);
    const converter = column && converterOf(column.type);
    return converter ? [codeColumn(column, converter)] : [];
  });
  return { columns, key: table.primaryKey.map((name) => columnNames.indexOf(name)) };
}

function codeColumn(column: CatalogueColumn, converter: Converter): CodedColumn {
  const { name, sqlType, nullable } = column;
  const told = column.default ? converter.defaultOf?.(column.default.literal) : undefined;
  return { name, sqlType, converter, nullable, default: told };
}

/** Writes a whole row; `old` gives the values that the new row leaves unsent. */
export function writeRow(
  to: AvroWriter,
  table: CodedTable,
  rows: { row: Tuple; old?: Tuple },
): void {
  const { row, old } = rows;
  for (let at = 0; at < table.columns.length; at++) {
    const known = row.kind[at] === unchanged && old?.kind[at] === present ? old : row;
    writeValue(to, table.columns[at] as CodedColumn, { tuple: known, at });
  }
}

/** Writes the row that a delete tells only the key of: the other columns get what stands for them. */
export function writeKeyOnlyRow(to: AvroWriter, table: CodedTable, row: Tuple): void {
  for (let at = 0; at < table.columns.length; at++) {
    const column = table.columns[at] as CodedColumn;
    if (row.kind[at] === present) writeValue(to, column, { tuple: row, at });
    else if (column.nullable) to.byte(0);
    else if (column.default && column.default.text !== "")
      writeText(to, column, column.default.text);
    else column.converter.writeFallback(to);
  }
}

/** The record's key: the primary key's columns, in its order. */
export function writeKey(to: AvroWriter, table: CodedTable, row: Tuple): void {
  for (const at of table.key) {
    writeValue(to, table.columns[at] as CodedColumn, { tuple: row, at });
  }
}

function writeText(to: AvroWriter, column: CodedColumn, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  column.converter.write(to, bytes, 0, bytes.length);
}

interface Place {
  readonly tuple: Tuple;
  readonly at: number;
}

function writeValue(to: AvroWriter, column: CodedColumn, { tuple, at }: Place): void {
  const kind = tuple.kind[at];
  if (kind === nothing && column.nullable) {
    to.byte(0);
    return;
  }
  // Null is the first branch of a nullable column's union.
  if (column.nullable) to.byte(2);
  if (kind === present) {
    const { bytes, start, end } = tuple;
    column.converter.write(to, bytes, start[at] as number, end[at] as number);
  } else if (kind === unchanged && column.converter.writeUnavailable) {
    column.converter.writeUnavailable(to);
  } else {
    throw unrepresentable(
      kind === unchanged ? "(unchanged, stored out of line)" : "null",
      `${column.sqlType} in column ${column.name}`,
    );
  }
}

/** The field of a column in the record `Value` or `Key`. `seen`: records defined before. */
export function fieldOf(column: CodedColumn, seen: Set<string>): object {
  const name = avroName(column.name);
  const type = onceDefined(column.converter.schema, seen);
  if (column.nullable) return { name, type: ["null", type], default: null };
  if (!column.default) return { name, type };
  const { json } = column.default;
  return { name, type: withDefault(type, json), default: json };
}

/** The default stands before the name of the Connect type, as its converter writes it. */
function withDefault(type: AvroType, json: unknown): AvroType {
  if (typeof type === "string") return { type, "connect.default": json };
  const told: [string, unknown][] = [];
  for (const [key, value] of Object.entries(type)) {
    if (key === "connect.name") told.push(["connect.default", json]);
    told.push([key, value]);
  }
  if (!("connect.name" in type)) told.push(["connect.default", json]);
  return Object.fromEntries(told) as unknown as AvroType;
}

/** Avro defines a record once; afterwards its name stands for it. */
function onceDefined(type: AvroType, seen: Set<string>): AvroType {
  if (typeof type === "string") return type;
  if (isUnion(type)) return type.map((branch) => onceDefined(branch, seen));
  if (type.type === "array") {
    return { type: "array", items: onceDefined(type["items"] as AvroType, seen) };
  }
  if (type.type !== "record") return type;
  const name = `${String(type["namespace"])}.${String(type["name"])}`;
  if (seen.has(name)) return name;
  seen.add(name);
  return type;
}

function isUnion(type: AvroType): type is readonly AvroType[] {
  return Array.isArray(type);
}
