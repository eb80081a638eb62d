import { byIndexes } from "../function-call.ts";
import type { Migration } from "../migrations.ts";
import { toldVerdicts, wasWritten } from "../told-verdicts.ts";

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

/** How a function tells whether a change's request was written. */
interface Counting {
  readonly declared?: string;
  readonly written: string;
}

/**
 * Behind an append that isn't answered yet: a change counts with the request that brings it, of each
 * name and key the last that counts, and not where the request is a duplicate. Without a time a
 * deadline is cancelled. Rows are locked in order of name and key, as by the function before, which
 * stays for processes of the version before.
 */
const ofRequests = ({ declared = "", written }: Counting): string => `
create function refold.change_deadlines(
  change_name text[], change_key text[], change_at bigint[], change_tags text[],
  change_correlation text[], change_causation text[], change_traceparent text[],
  change_request integer[]
) returns void language plpgsql volatile ${byIndexes} as $$
declare
  place integer[];
  cancels integer;
  i integer;
  ${declared}
begin
  select array_agg(c.i), count(*) filter (where c.at is null) into place, cancels from (
    select distinct on (change_name[s] collate "C", change_key[s] collate "C")
      s as i, change_at[s] as at
    from generate_subscripts(change_name, 1) s where ${written}
    order by change_name[s] collate "C", change_key[s] collate "C", s desc) c;

  if place is null then
    return;
  elsif cancels = cardinality(place) then
    delete from refold.deadlines d using unnest(place) p (i)
    where d.name = change_name[p.i] and d.key = change_key[p.i];
  elsif cancels = 0 then
    insert into refold.deadlines
    select change_name[p.i], change_key[p.i], change_at[p.i], change_tags[p.i]::text[],
      change_correlation[p.i], change_causation[p.i], change_traceparent[p.i]
    from unnest(place) p (i)${upsert}
  else
    foreach i in array place loop
      if change_at[i] is null then
        delete from refold.deadlines d where d.name = change_name[i] and d.key = change_key[i];
      else
        insert into refold.deadlines values (change_name[i], change_key[i], change_at[i],
          change_tags[i]::text[], change_correlation[i], change_causation[i],
          change_traceparent[i])${upsert}
      end if;
    end loop;
  end if;
end $$;`;

/** As before, with the verdicts as an array. */
const byArray = ofRequests({
  declared: toldVerdicts,
  written: wasWritten("change_request[s]"),
}).replace("create function", "create or replace function");

export const migrations: readonly Migration[] = [
  { name: "deadlines-1", sql: [table, change].join("\n") },
  { name: "deadlines-2", sql: changeInOrder },
  {
    name: "deadlines-3",
    sql: ofRequests({ written: "refold.was_written(change_request[s])" }),
  },
  { name: "deadlines-4", sql: byArray },
];
