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

const upsert = `
    on conflict (name, key) do update set at_ms = excluded.at_ms, tags = excluded.tags,
      correlation_id = excluded.correlation_id, causation_id = excluded.causation_id,
      traceparent = excluded.traceparent;`;

/**
 * As before, but where some are set and others cancelled, all are gone through in order of name and
 * key: who cancels what another sets, and sets what the other cancels, waits for it. Locking all of
 * them first would not do: a row that isn't there yet can't be locked, and may be there when it is
 * written.
 */
const changeInOrder = `
create or replace function refold.change_deadlines(
  cancel_name text[], cancel_key text[], set_name text[], set_key text[], set_at bigint[],
  set_tags text[], set_correlation text[], set_causation text[], set_traceparent text[]
) returns void language plpgsql volatile ${byIndexes} as $$
declare
  one record;
begin
  if cardinality(set_name) = 0 then
    delete from refold.deadlines d using generate_subscripts(cancel_name, 1) i
    where d.name = cancel_name[i] and d.key = cancel_key[i];
    return;
  end if;
  if cardinality(cancel_name) = 0 then
    insert into refold.deadlines
    select set_name[i], set_key[i], set_at[i], set_tags[i]::text[], set_correlation[i],
      set_causation[i], set_traceparent[i]
    from generate_subscripts(set_name, 1) i${upsert}
    return;
  end if;
  for one in
    select * from (
      select cancel_name[i] as name, cancel_key[i] as key, null::integer as place
      from generate_subscripts(cancel_name, 1) i
      union all
      select set_name[i], set_key[i], i from generate_subscripts(set_name, 1) i) c
    order by name collate "C", key collate "C"
  loop
    if one.place is null then
      delete from refold.deadlines d where d.name = one.name and d.key = one.key;
    else
      insert into refold.deadlines values (one.name, one.key, set_at[one.place],
        set_tags[one.place]::text[], set_correlation[one.place], set_causation[one.place],
        set_traceparent[one.place])${upsert}
    end if;
  end loop;
end $$;`;

export const migrations: readonly Migration[] = [
  { name: "deadlines-1", sql: [table, change].join("\n") },
  { name: "deadlines-2", sql: changeInOrder },
];
