import type { Rewrite } from "../types/rewritten.ts";

/** Expressions match a whole name; matching leaves case out of account. */
export type NamePattern = RegExp;

/**
 * Which tables are captured, where they are found in the database's catalogue and not listed by
 * name. A table must fit every `include` that is given, and no `exclude`.
 */
export interface TableSelection {
  readonly includeSchemas?: readonly NamePattern[];
  readonly excludeSchemas?: readonly NamePattern[];
  /** Matched against `schema.table`. */
  readonly includeTables?: readonly NamePattern[];
  readonly excludeTables?: readonly NamePattern[];
  /** Partitions of each table's topic. */
  readonly partitions: number;
}

/** Which columns are told, and which of them are keys; names are `schema.table.column`. */
export interface ColumnSelection {
  readonly include?: readonly NamePattern[];
  readonly exclude?: readonly NamePattern[];
  /** In place of the primary key: the columns that match, in the order of these. */
  readonly keys?: readonly NamePattern[];
  /** What is told in place of values, but not in keys; the first that fits a column counts. */
  readonly rewrites?: readonly ColumnRewrite[];
}

export interface ColumnRewrite {
  readonly columns: readonly NamePattern[];
  readonly rewrite: Rewrite;
}

/** How names become names of topics, schemas and fields. */
export interface NameAdjustment {
  /** avro: what Avro refuses becomes an underscore; avro_unicode: its code, `_u0041`. */
  readonly schemas: "none" | "avro" | "avro_unicode";
  readonly fields: "none" | "avro" | "avro_unicode";
  /** Between the parts of a topic's name; left out: a point. */
  readonly delimiter?: string;
}

/** Who makes the publication, and what it holds. */
export type PublicationMode =
  /** Made for the captured tables, and kept to them. */
  | "filtered"
  /** Made for all tables. */
  | "all_tables"
  /** Made empty; an administrator adds tables. */
  | "no_tables"
  /** It must exist; its tables, column lists and row filters stand as they are. */
  | "disabled";

function matches(patterns: readonly NamePattern[], name: string): boolean {
  return patterns.some((pattern) => pattern.test(name));
}

/** Schemas of the server itself. */
const systemSchemas = new Set(["pg_catalog", "information_schema"]);

export function selectsTable(
  selection: TableSelection,
  { schema, table }: { readonly schema: string; readonly table: string },
): boolean {
  const { includeSchemas, excludeSchemas = [], includeTables, excludeTables = [] } = selection;
  const name = `${schema}.${table}`;
  if (systemSchemas.has(schema) || schema.startsWith("pg_toast")) return false;
  if (includeSchemas && !matches(includeSchemas, schema)) return false;
  if (includeTables && !matches(includeTables, name)) return false;
  return !matches(excludeSchemas, schema) && !matches(excludeTables, name);
}

/** Whether a column stands in values; a key has it in either case. */
export function selectsColumn({ include, exclude = [] }: ColumnSelection, path: string): boolean {
  if (include && !matches(include, path)) return false;
  return !matches(exclude, path);
}

export function rewriteOf({ rewrites = [] }: ColumnSelection, path: string): Rewrite | undefined {
  return rewrites.find(({ columns }) => matches(columns, path))?.rewrite;
}
