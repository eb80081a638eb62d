import type { ClientBase } from "pg";

import type { ColumnType } from "../types/resolve.ts";
import type { TableName } from "./names.ts";

/** What the stream doesn't tell about a column. */
export interface CatalogueColumn {
  readonly name: string;
  /** As SQL writes it, for errors and casts: `numeric(10,2)`. */
  readonly sqlType: string;
  readonly typeOid: number;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly generated: boolean;
  readonly default: ColumnDefault | undefined;
}

export interface ColumnDefault {
  /** Postgres' text of a literal; undefined where an expression computes it. */
  readonly literal: string | undefined;
}

export interface CatalogueTable extends TableName {
  readonly oid: number;
  readonly columns: readonly CatalogueColumn[];
  /** Names of the primary key's columns, in the key's order; empty where there is none. */
  readonly primaryKey: readonly string[];
  /** `default`: the primary key tells rows apart in updates and deletes. */
  readonly replicaIdentity: "default" | "full" | "nothing" | "index";
}

interface TableRow {
  oid: number;
  replica_identity: CatalogueTable["replicaIdentity"];
  primary_key: string[];
}

interface ColumnRow {
  name: string;
  sql_type: string;
  type_oid: number;
  type_name: string;
  type_schema: string;
  modifier: number;
  is_array: boolean;
  labels: string[] | null;
  nullable: boolean;
  generated: boolean;
  default_expression: string | null;
}

const tableQuery = `
  select c.oid::int8::float8 as oid,
    case c.relreplident when 'd' then 'default' when 'f' then 'full' when 'n' then 'nothing'
      else case when exists (select from pg_index i
        where i.indrelid = c.oid and i.indisreplident and i.indisprimary)
      then 'default' else 'index' end end as replica_identity,
    coalesce((select array_agg(a.attname::text order by k.place)
      from pg_index i, unnest(i.indkey) with ordinality as k(number, place), pg_attribute a
      where i.indrelid = c.oid and i.indisprimary
        and a.attrelid = c.oid and a.attnum = k.number), '{}') as primary_key
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')`;

/** Domains are followed down to the type that they stand on; the first modifier met counts. */
const columnsQuery = `
  with recursive resolved as (
    select attnum, atttypid as oid, atttypmod as modifier from pg_attribute
    where attrelid = $1::oid and attnum > 0 and not attisdropped
    union all
    select r.attnum, t.typbasetype, case when r.modifier = -1 then t.typtypmod else r.modifier end
    from resolved r join pg_type t on t.oid = r.oid where t.typtype = 'd')
  select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as sql_type,
    a.atttypid::int8::float8 as type_oid,
    coalesce(e.typname, t.typname)::text as type_name, n.nspname::text as type_schema, r.modifier,
    e.oid is not null as is_array,
    (select array_agg(enumlabel::text order by enumsortorder) from pg_enum
      where enumtypid = coalesce(e.oid, t.oid)) as labels,
    not a.attnotnull as nullable, a.attgenerated <> '' as generated,
    case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default_expression
  from pg_attribute a
  join resolved r on r.attnum = a.attnum
  join pg_type t on t.oid = r.oid and t.typtype <> 'd'
  left join pg_type e on t.typcategory = 'A' and e.oid = t.typelem
  join pg_namespace n on n.oid = coalesce(e.typnamespace, t.typnamespace)
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1::oid
  order by a.attnum`;

/** A constant, perhaps with one cast, as pg_get_expr writes it. */
const literalShape = /^(?:\(?-?\d+(?:\.\d+)?\)?|'(?:[^']|'')*'|true|false)(?:::[\w ."[\](),]+)?$/;

/** Reads a table's definition; undefined where there is no such table. */
export async function readTable(
  client: ClientBase,
  name: TableName,
): Promise<CatalogueTable | undefined> {
  const { rows } = await client.query<TableRow>(tableQuery, [name.schema, name.table]);
  const table = rows[0];
  if (!table) return undefined;
  const found = await client.query<ColumnRow>(columnsQuery, [table.oid]);
  const columns: CatalogueColumn[] = [];
  for (const row of found.rows) columns.push(await column(client, row));
  return {
    ...name,
    oid: table.oid,
    primaryKey: table.primary_key,
    replicaIdentity: table.replica_identity,
    columns,
  };
}

async function column(client: ClientBase, row: ColumnRow): Promise<CatalogueColumn> {
  return {
    name: row.name,
    sqlType: row.sql_type,
    typeOid: row.type_oid,
    type: {
      name: row.type_name,
      schema: row.type_schema,
      modifier: row.modifier,
      array: row.is_array,
      ...(row.labels ? { labels: row.labels } : {}),
    },
    nullable: row.nullable,
    generated: row.generated,
    default: await columnDefault(client, row),
  };
}

async function columnDefault(
  client: ClientBase,
  row: ColumnRow,
): Promise<ColumnDefault | undefined> {
  const expression = row.default_expression;
  if (expression === null || expression.startsWith("NULL::")) return undefined;
  if (!literalShape.test(expression)) return { literal: undefined };
  // The server turns the constant into the text that the stream would carry.
  const { rows } = await client.query<{ literal: string }>(
    `select ((${expression})::${row.sql_type})::text as literal`,
  );
  return { literal: rows[0]?.literal };
}
