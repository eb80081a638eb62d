import { FatalError } from "../../../engine/errors.ts";
import { converterOf } from "../types/resolve.ts";
import { isRewritable } from "../types/rewritten.ts";
import type { ValueModes } from "../types/value-modes.ts";
import type { CatalogueColumn, CatalogueTable } from "./catalogue.ts";
import { toldDefault } from "./coded-table.ts";
import { fieldName } from "./names.ts";
import {
  rewriteOf,
  selectsColumn,
  type ColumnSelection,
  type NameAdjustment,
} from "./selection.ts";

/** What a capture's options say of its tables. */
export interface TableDemands {
  readonly values: ValueModes;
  readonly columns: ColumnSelection;
  readonly names: NameAdjustment;
}

/** All that keeps a table from being captured, a sentence each; empty where nothing does. */
export function tableFaults(table: CatalogueTable, demands: TableDemands): string[] {
  const { values } = demands;
  const name = `${table.schema}.${table.table}`;
  const columns = table.columns.filter(
    (column) => !column.generated && selectsColumn(demands.columns, `${name}.${column.name}`),
  );
  return [
    ...columns.flatMap((column) => columnFaults(`${name}.${column.name}`, column, values)),
    ...(values.ambiguous === "refused" ? identityFaults(name, table) : []),
    ...columns.flatMap((column) => rewriteFaults(`${name}.${column.name}`, column, demands)),
    ...nameFaults(name, told(columns, values), demands.names),
  ];
}

function told(columns: readonly CatalogueColumn[], values: ValueModes): CatalogueColumn[] {
  return columns.filter((column) => converterOf(column.type, values) !== undefined);
}

function columnFaults(path: string, column: CatalogueColumn, values: ValueModes): string[] {
  const converter = converterOf(column.type, values);
  if (!converter) {
    if (values.unknownTypes !== "refused") return [];
    return [`${path} has the type ${column.sqlType}, which capture can't tell in Avro`];
  }
  const hidesNull =
    column.nullable && column.default !== undefined && toldDefault(converter, column.default);
  if (!hidesNull || values.ambiguous === "told") return [];
  return [
    `${path} is nullable and has a DEFAULT, so that readers can't tell NULL from the default: ` +
      `make it NOT NULL or drop the default`,
  ];
}

function rewriteFaults(
  path: string,
  { type, sqlType }: CatalogueColumn,
  { columns }: TableDemands,
): string[] {
  const rewrite = rewriteOf(columns, path);
  if (!rewrite || isRewritable(type)) return [];
  return [`${path} has the type ${sqlType}: only text, varchar and char are masked or truncated`];
}

function identityFaults(name: string, table: CatalogueTable): string[] {
  const { replicaIdentity } = table;
  if (replicaIdentity === "default" || replicaIdentity === "full") return [];
  return [
    `${name} has REPLICA IDENTITY ${replicaIdentity.toUpperCase()}, under which a delete doesn't ` +
      `tell the primary key: alter table ${name} replica identity default`,
  ];
}

function nameFaults(
  name: string,
  columns: readonly CatalogueColumn[],
  { fields }: NameAdjustment,
): string[] {
  const byField = Map.groupBy(columns, (column) => fieldName(column.name, fields));
  const colliding = [...byField]
    .filter(([, same]) => same.length > 1)
    .map(([field, same]) => {
      const names = same.map((column) => column.name).join(", ");
      return `${name} has columns (${names}) that are all the field ${field} in Avro: rename one`;
    });
  const refused = [...byField.keys()]
    .filter((field) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(field))
    .map((field) => `${name} has a column ${field}, which is no name in Avro: adjust field names`);
  return [...colliding, ...refused];
}

export function refuse(faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new FatalError(
    "table-unsupported",
    `These tables can't be captured as they are: ${faults.join("; ")}.`,
    "Change the columns named here, or leave the table out of the capture.",
  );
}
