import type { ClientBase } from "pg";

import type { ColumnType } from "../types/resolve.ts";
import { readDefault, type ColumnDefault } from "./defaults.ts";
import type { TableName } from "./names.ts";
import type { TypeCatalogue } from "./type-catalogue.ts";

/** What the stream doesn't tell about a column. */
export interface CatalogueColumn {
  readonly name: string;
  /** As SQL writes it, for errors and casts: `numeric(10,2)`. */
  readonly sqlType: string;
  readonly typeOid: number;
  /** pg_attribute.atttypmod; -1: none. */
  readonly typeModifier: number;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly generated: boolean;
  /** undefined: there is none, or Debezium tells none of its kind. */
  readonly default: ColumnDefault | undefined;
}

export interface CatalogueTable extends TableName {
  readonly oid: number;
  readonly columns: readonly CatalogueColumn[];
  /** Names of the primary key's columns, in the key's order; empty where there is none. */
  readonly primaryKey: readonly string[];
  /** Columns of the first unique index without expressions, by the indexes' names. */
  readonly uniqueIndex: readonly string[];
  /** `default`: the primary key tells rows apart in updates and deletes. */
  readonly replicaIdentity: "default" | "full" | "nothing" | "index";
}

interface TableRow {
  oid: number;
  replica_identity: CatalogueTable["replicaIdentity"];
  primary_key: string[];
  unique_index: string[];
}

interface ColumnRow {
  name: string;
  sql_type: string;
  type_oid: number;
  modifier: number;
  nullable: boolean;
  generated: boolean;
  default_expression: string | null;
}

const indexColumns = `
  select array_agg(a.attname::text order by k.place)
  from unnest(i.indkey) with ordinality as k(number, place), pg_attribute a
  where a.attrelid = i.indrelid and a.attnum = k.number and k.place <= i.indnkeyatts`;

const tableQuery = `
  select c.oid::int8::float8 as oid,
    case c.relreplident when 'd' then 'default' when 'f' then 'full' when 'n' then 'nothing'
      else case when exists (select from pg_index i
        where i.indrelid = c.oid and i.indisreplident and i.indisprimary)
      then 'default' else 'index' end end as replica_identity,
    coalesce((select (${indexColumns}) from pg_index i
      where i.indrelid = c.oid and i.indisprimary), '{}') as primary_key,
    coalesce((select (${indexColumns}) from pg_index i join pg_class x on x.oid = i.indexrelid
      where i.indrelid = c.oid and i.indisunique and i.indexprs is null
      order by i.indisclustered desc, x.relname limit 1), '{}') as unique_index
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')`;

const columnsQuery = `
  select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as sql_type,
    a.atttypid::int8::float8 as type_oid, a.atttypmod as modifier,
    not a.attnotnull and not (t.typtype = 'd' and t.typnotnull) as nullable,
    a.attgenerated <> '' as generated,
    case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default_expression
  from pg_attribute a
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
  order by a.attnum`;

export interface CatalogueSource {
  readonly client: ClientBase;
  readonly types: TypeCatalogue;
}

/** Reads a table's definition; undefined where there is no such table. */
export async function readTable(
  { client, types }: CatalogueSource,
  name: TableName,
): Promise<CatalogueTable | undefined> {
  const { rows } = await client.query<TableRow>(tableQuery, [name.schema, name.table]);
  const table = rows[0];
  if (!table) return undefined;
  const found = await client.query<ColumnRow>(columnsQuery, [table.oid]);
  const columns: CatalogueColumn[] = [];
  for (const row of found.rows) columns.push(await column(types, row));
  return {
    schema: name.schema,
    table: name.table,
    oid: table.oid,
    primaryKey: table.primary_key,
    uniqueIndex: table.unique_index,
    replicaIdentity: table.replica_identity,
    columns,
  };
}

async function column(types: TypeCatalogue, row: ColumnRow): Promise<CatalogueColumn> {
  const { type, isDomain } = await types.resolve(row.type_oid, row.modifier);
  const expression = row.default_expression;
  return {
    name: row.name,
    sqlType: row.sql_type,
    typeOid: row.type_oid,
    typeModifier: row.modifier,
    type,
    nullable: row.nullable,
    generated: row.generated,
    // Debezium knows defaults by the name of the column's own type, and no domain's.
    default: expression === null || isDomain ? undefined : readDefault(expression, type),
  };
}
