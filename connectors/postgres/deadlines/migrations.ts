import { byIndexes } from "../function-call.ts";
import type { Migration } from "../migrations.ts";

/** Most are cancelled long before their time: rows come and go. */
const table = `
  create table refold.deadlines (
    name text collate "C" not null,
    key text collate "C" not null,
    at_ms bigint not null,
    tags text[] not null,
    correlation_id text not null,
    causation_id text,
    traceparent text,
    primary key (name, key)
  ) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
  create index deadlines_at on refold.deadlines (at_ms, name, key);
  create index deadlines_tags on refold.deadlines using gin (tags);`;

/** Of each name and key one change; rows are locked in the order in which they are given. */
const change = `
create function refold.change_deadlines(
  cancel_name text[], cancel_key text[], set_name text[], set_key text[], set_at bigint[],
  set_tags text[], set_correlation text[], set_causation text[], set_traceparent text[]
) returns void language plpgsql volatile ${byIndexes} as $$
begin
  if cardinality(cancel_name) > 0 then
    delete from refold.deadlines d using generate_subscripts(cancel_name, 1) i
    where d.name = cancel_name[i] and d.key = cancel_key[i];
  end if;
  if cardinality(set_name) > 0 then
    insert into refold.deadlines
    select set_name[i], set_key[i], set_at[i], set_tags[i]::text[], set_correlation[i],
      set_causation[i], set_traceparent[i]
    from generate_subscripts(set_name, 1) i
    on conflict (name, key) do update set at_ms = excluded.at_ms, tags = excluded.tags,
      correlation_id = excluded.correlation_id, causation_id = excluded.causation_id,
      traceparent = excluded.traceparent;
  end if;
end $$;`;

export const migrations: readonly Migration[] = [
  { name: "deadlines-1", sql: [table, change].join("\n") },
];
