import type { RelationColumn } from "../pgoutput/messages.ts";
import type { AvroDefault, Converter } from "../types/converter.ts";
import { converterOf, type ColumnType } from "../types/resolve.ts";
import { isRewritable, rewritten } from "../types/rewritten.ts";
import type { ValueModes } from "../types/value-modes.ts";
import type { CatalogueColumn, CatalogueTable } from "./catalogue.ts";
import type { ColumnDefault } from "./defaults.ts";
import { rewriteOf, selectsColumn, type ColumnSelection } from "./selection.ts";
import type { TypeCatalogue } from "./type-catalogue.ts";

/** A column as it is written. */
export interface CodedColumn {
  readonly name: string;
  readonly sqlType: string;
  /** Its place in a tuple of the table. */
  readonly at: number;
  readonly converter: Converter;
  readonly nullable: boolean;
  /** As the schema tells it; undefined where it tells none. */
  readonly default: AvroDefault | undefined;
}

/** A table whose rows can be written. */
export interface CodedTable {
  /** By place in a tuple; undefined where a column isn't told. */
  readonly columns: readonly (CodedColumn | undefined)[];
  /** The columns that are told, in their order. */
  readonly told: readonly CodedColumn[];
  /** The key's columns, in its order; values needn't have them. */
  readonly keyColumns: readonly CodedColumn[];
  /** Their places in a tuple. */
  readonly key: readonly number[];
  /** Whether what a NOT NULL column lacks is written as its default or zero, or refused. */
  readonly missing: "filled" | "refused";
}

/** A column as the stream describes it. */
export type StreamColumn = Pick<RelationColumn, "name" | "typeOid" | "typeModifier">;

export interface Coding {
  readonly types: TypeCatalogue;
  readonly modes: ValueModes;
  readonly selection: ColumnSelection;
}

/**
 * Pairs the columns that the stream carries with what the catalogue says of them. Their types are
 * the stream's: the catalogue may be ahead of it. A column that the catalogue has no more is
 * nullable, for all that is known.
 */
export async function codeTable(
  table: CatalogueTable,
  columns: readonly StreamColumn[],
  coding: Coding,
): Promise<CodedTable> {
  const known = new Map(table.columns.map((column) => [column.name, column]));
  const coded: (CodedColumn | undefined)[] = [];
  for (const [at, column] of columns.entries()) {
    coded.push(await codeColumn({ column, at, known: known.get(column.name) }, coding));
  }
  const path = `${table.schema}.${table.table}`;
  const isTold = (column: CodedColumn): boolean =>
    selectsColumn(coding.selection, `${path}.${column.name}`);
  const keyColumns = keyNames(table, columns, coding.selection).flatMap((name) => {
    const column = coded.find((one) => one?.name === name);
    if (!column) return [];
    // Of a column that is left out, Debezium doesn't know whether it may be null.
    return [isTold(column) ? column : { ...column, nullable: true, default: undefined }];
  });
  const values: (CodedColumn | undefined)[] = [];
  for (const column of coded) {
    const isValue = column && isTold(column);
    values.push(
      isValue ? await rewriteColumn(column, columns[column.at], { ...coding, path }) : undefined,
    );
  }
  return {
    columns: values,
    told: values.filter((column) => column !== undefined),
    keyColumns,
    key: keyColumns.map((column) => column.at),
    missing: coding.modes.ambiguous === "told" ? "filled" : "refused",
  };
}

/** The columns that were named for it, or else the primary key's, or a unique index'. */
function keyNames(
  table: CatalogueTable,
  columns: readonly StreamColumn[],
  { keys = [] }: ColumnSelection,
): readonly string[] {
  const path = `${table.schema}.${table.table}`;
  const named = keys.flatMap((pattern) =>
    columns.map(({ name }) => name).filter((name) => pattern.test(`${path}.${name}`)),
  );
  if (named.length > 0) return named;
  return table.primaryKey.length > 0 ? table.primaryKey : table.uniqueIndex;
}

interface PairedColumn {
  readonly column: StreamColumn;
  readonly at: number;
  readonly known: CatalogueColumn | undefined;
}

/** Values alone: keys are told as they are. */
async function rewriteColumn(
  column: CodedColumn,
  streamed: StreamColumn | undefined,
  { types, selection, path }: Coding & { readonly path: string },
): Promise<CodedColumn> {
  const rewrite = rewriteOf(selection, `${path}.${column.name}`);
  if (!rewrite || !streamed) return column;
  const { type } = await types.resolve(streamed.typeOid, streamed.typeModifier);
  if (!isRewritable(type)) return column;
  return { ...column, converter: rewritten(column.converter, rewrite, type) };
}

async function codeColumn(
  { column, at, known }: PairedColumn,
  { types, modes }: Coding,
): Promise<CodedColumn | undefined> {
  const { type } = await types.resolve(column.typeOid, column.typeModifier);
  const converter = converterOf(type, modes);
  if (!converter) return undefined;
  return {
    name: column.name,
    sqlType: sqlTypeOf(type),
    at,
    converter,
    nullable: known?.nullable ?? true,
    default: known?.default && toldDefault(converter, known.default),
  };
}

function sqlTypeOf({ name, array }: ColumnType): string {
  return array ? `${name}[]` : name;
}

/** Undefined also where the literal isn't one of the type: nothing is evaluated. */
export function toldDefault(
  converter: Converter,
  { literal }: ColumnDefault,
): AvroDefault | undefined {
  try {
    return converter.defaultOf?.(literal);
  } catch {
    return undefined;
  }
}
