import { byIndexes } from "../function-call.ts";
import type { Migration } from "../migrations.ts";

/**
 * An effect is what was asked for, which stays as it is, and one row more: while it is open, one that
 * changes with every try, in a table that stays small; in the end its answer. So tries and answers
 * touch neither the wide row nor the indexes of tags and correlation.
 */
const tables = `
  create sequence refold.effect_ids;
  create table refold.effects (
    -- Rises in the order of being requested, as far as transactions have one.
    id bigint primary key,
    key text collate "C" not null,
    kind text collate "C" not null,
    input json not null,
    tags text[] not null,
    correlation_id text not null,
    causation_id text,
    traceparent text,
    requested_at timestamptz not null
  );
  create unique index effects_key on refold.effects (key);
  create index effects_tags on refold.effects using gin (tags);
  -- Hashes: a third of an index of texts.
  create index effects_correlation on refold.effects (hashtextextended(correlation_id, 0), id);

  create table refold.open_effects (
    effect_id bigint primary key,
    kind text collate "C" not null,
    state text not null default 'requested' check (state in ('requested', 'started', 'failed')),
    attempts integer not null default 0,
    started_at timestamptz,
    next_at timestamptz not null,
    ended_at timestamptz,
    error text,
    -- Gone with the row, and when the effect is given up.
    secret json
  ) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
  create index open_effects_due on refold.open_effects (next_at, effect_id)
    where state <> 'failed';

  create table refold.done_effects (
    effect_id bigint primary key,
    attempts integer not null,
    started_at timestamptz,
    next_at timestamptz not null,
    ended_at timestamptz not null,
    answer json not null
  );`;

/** Keys that are known already are left as they are. Rows are locked in order of key. */
const request = `
create function refold.request_effects(
  effect_key text[], effect_kind text[], effect_input text[], effect_secret text[],
  effect_tags text[], effect_correlation text[], effect_causation text[], effect_traceparent text[]
) returns void language plpgsql volatile ${byIndexes} as $$
declare
  new_id bigint[];
begin
  select array_agg(nextval('refold.effect_ids')) into new_id
  from generate_subscripts(effect_key, 1);

  insert into refold.effects (id, key, kind, input, tags, correlation_id, causation_id,
    traceparent, requested_at)
  select new_id[i], effect_key[i], effect_kind[i], effect_input[i]::json,
    effect_tags[i]::text[], effect_correlation[i], effect_causation[i], effect_traceparent[i], now()
  from generate_subscripts(effect_key, 1) i order by effect_key[i] collate "C"
  on conflict (key) do nothing;

  insert into refold.open_effects (effect_id, kind, next_at, secret)
  select new_id[i], effect_kind[i], now(), effect_secret[i]::json
  from generate_subscripts(effect_key, 1) i
  where exists (select from refold.effects e where e.id = new_id[i] offset 0);
end $$;`;

/** Of effects that are done already, and of unknown keys, nothing is written. */
const settle = `
create function refold.settle_effects(settled_key text[], settled_answer text[])
returns void language plpgsql volatile ${byIndexes} as $$
begin
  with answered as materialized (
    select e.id, settled_answer[i]::json as answer
    from generate_subscripts(settled_key, 1) i join refold.effects e on e.key = settled_key[i]
    order by settled_key[i] collate "C"
  ), over as (
    delete from refold.open_effects o using answered a where o.effect_id = a.id
    returning o.effect_id, o.attempts, o.started_at, o.next_at, a.answer
  )
  insert into refold.done_effects
  select effect_id, attempts, started_at, next_at, clock_timestamp(), answer from over;
end $$;`;

export const migrations: readonly Migration[] = [
  { name: "effect-ledger-1", sql: [tables, request, settle].join("\n") },
];
