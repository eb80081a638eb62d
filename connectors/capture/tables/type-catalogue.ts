import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import type { ColumnType } from "../types/resolve.ts";

interface TypeRow {
  name: string;
  schema: string;
  domain_modifier: number;
  is_domain: boolean;
  is_array: boolean;
  of_domains: boolean;
  labels: string[] | null;
}

/** Domains are followed down to the type that they stand on; the first modifier met counts. */
const typeQuery = `
  with recursive resolved as (
    select oid, typbasetype, typtypmod as modifier, typtype, 0 as depth
    from pg_type where oid = $1::oid
    union all
    select t.oid, t.typbasetype,
      case when r.modifier = -1 then t.typtypmod else r.modifier end, t.typtype, r.depth + 1
    from resolved r join pg_type t on t.oid = r.typbasetype where r.typtype = 'd')
  select coalesce(e.typname, t.typname)::text as name, n.nspname::text as schema,
    r.modifier as domain_modifier, r.depth > 0 as is_domain, e.oid is not null as is_array,
    coalesce(e.typtype = 'd', false) as of_domains,
    (select array_agg(enumlabel::text order by enumsortorder) from pg_enum
      where enumtypid = coalesce(e.oid, t.oid)) as labels
  from resolved r
  join pg_type t on t.oid = r.oid
  left join pg_type e on e.typarray = t.oid
  join pg_namespace n on n.oid = coalesce(e.typnamespace, t.typnamespace)
  where r.typtype <> 'd'`;

/** A type as columns have it, without what each column adds. */
export interface NamedType {
  readonly type: ColumnType;
  readonly isDomain: boolean;
}

/**
 * Types by their number, read once: an enum keeps the labels that it had when the capture first met
 * it, so that the schemas of its tables stay as they are.
 */
export class TypeCatalogue {
  readonly #client: ClientBase;
  readonly #known = new Map<number, TypeRow>();

  constructor(client: ClientBase) {
    this.#client = client;
  }

  /** @param modifier The column's (pg_attribute.atttypmod); -1: none. */
  async resolve(oid: number, modifier: number): Promise<NamedType> {
    const row = this.#known.get(oid) ?? (await this.#read(oid));
    return {
      isDomain: row.is_domain,
      type: {
        name: row.name,
        schema: row.schema,
        modifier: modifier === -1 ? row.domain_modifier : modifier,
        array: row.of_domains ? "domains" : row.is_array,
        ...(row.labels ? { labels: row.labels } : {}),
      },
    };
  }

  async #read(oid: number): Promise<TypeRow> {
    const { rows } = await this.#client.query<TypeRow>(typeQuery, [oid]);
    const row = rows[0];
    if (!row) throw typeGone(oid);
    this.#known.set(oid, row);
    return row;
  }
}

function typeGone(oid: number): FatalError {
  return new FatalError(
    "type-gone",
    `The stream has a column of the type number ${oid}, which the database has no more: it was ` +
      "dropped before the capture came to these rows.",
    "The rows' texts can't be read without it: begin a new snapshot (refold capture repair).",
  );
}
