import { byIndexes } from "../function-call.ts";
import type { Migration } from "../migrations.ts";
import { toldVerdicts, wasAppended } from "../told-verdicts.ts";

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
  -- By kind first: what waits of one must not be walked through by who looks for another.
  create index open_effects_due on refold.open_effects (kind, next_at, effect_id)
    where state <> 'failed';
  create index open_effects_failed on refold.open_effects (effect_id) where state = 'failed';

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

/** Rows that others are just taking are passed over. */
const take = `
create function refold.take_effects(of_kinds text[], at_most integer, lease_ms float8)
returns table (key text, kind text, input json, tags text[], correlation_id text,
  causation_id text, traceparent text, requested_at timestamptz, secret json, state text,
  attempts integer, started_at timestamptz, next_at timestamptz, ended_at timestamptz,
  answer json, error text)
language plpgsql volatile ${byIndexes} as $$
#variable_conflict use_column
declare
  began timestamptz := clock_timestamp();
begin
  return query
  with due as materialized (
    select d.effect_id, row_number() over (order by d.next_at, d.effect_id) as place
    from (
      select found.effect_id, found.next_at from unnest(of_kinds) k (name)
      cross join lateral (
        select x.effect_id, x.next_at from refold.open_effects x
        where x.kind = k.name and x.state <> 'failed' and x.next_at <= began
        order by x.next_at, x.effect_id limit at_most for update skip locked) found
      order by found.next_at, found.effect_id limit at_most) d
  ), o as (
    update refold.open_effects x set state = 'started', attempts = x.attempts + 1,
      started_at = began, next_at = began + lease_ms * interval '1 millisecond'
    from due where x.effect_id = due.effect_id returning x.*, due.place
  )
  select e.key, e.kind, e.input, e.tags, e.correlation_id, e.causation_id, e.traceparent,
    e.requested_at, o.secret, o.state, o.attempts, o.started_at, o.next_at, o.ended_at,
    null::json, o.error
  from o join refold.effects e on e.id = o.effect_id order by o.place;
end $$;`;

/**
 * Tries that failed: without a time for the next one they are given up. Lost in a crash of the
 * server, a postponement is only made up for by its lease: nobody has to wait until it is on disk.
 */
const fail = `
create function refold.fail_effects(failed_key text[], failed_error text[], after_ms float8[])
returns void language plpgsql volatile ${byIndexes} as $$
begin
  if array_position(after_ms, null) is null then
    perform set_config('synchronous_commit', 'off', true);
  end if;
  with failed as materialized (
    select e.id, failed_error[i] as error, after_ms[i] as wait_ms
    from generate_subscripts(failed_key, 1) i join refold.effects e on e.key = failed_key[i]
    order by failed_key[i] collate "C"
  )
  update refold.open_effects o set error = f.error,
    state = case when f.wait_ms is null then 'failed' else 'requested' end,
    next_at = case when f.wait_ms is null then o.next_at
      else clock_timestamp() + f.wait_ms * interval '1 millisecond' end,
    ended_at = case when f.wait_ms is null then clock_timestamp() end,
    secret = case when f.wait_ms is null then null else o.secret end
  from failed f where o.effect_id = f.id and o.state <> 'failed';
end $$;`;

interface SettleVariant {
  readonly parameters: string;
  /** Ids of effects with their answers, of each one, in order of key. */
  readonly answered: string;
  readonly declared?: string;
}

/** Of effects that are done already, and of unknown keys, nothing is written. */
const settleFunction = ({ parameters, answered, declared = "" }: SettleVariant): string => `
create function refold.settle_effects(${parameters})
returns void language plpgsql volatile ${byIndexes} as $$
declare ${declared}
begin
  with answered as materialized (${answered}
  ), over as (
    delete from refold.open_effects o using answered a where o.effect_id = a.id
    returning o.effect_id, o.attempts, o.started_at, o.next_at, a.answer
  )
  insert into refold.done_effects
  select effect_id, attempts, started_at, next_at, clock_timestamp(), answer from over;
end $$;`;

const settle = settleFunction({
  parameters: "settled_key text[], settled_answer text[]",
  answered: `
    select e.id, settled_answer[i]::json as answer
    from generate_subscripts(settled_key, 1) i join refold.effects e on e.key = settled_key[i]
    order by settled_key[i] collate "C"`,
});

interface RequestVariant {
  /** The last ones. */
  readonly parameters: string;
  /** The id of an effect that counts; null for others. */
  readonly newId: string;
  readonly declared?: string;
}

/** @returns SQL of a function that gives the places of those whose keys are known already, or that don't count; null when all are new. */
const requestFunction = ({ parameters, newId, declared = "" }: RequestVariant): string => `
create function refold.request_effects(
  effect_key text[], effect_kind text[], effect_input text[], effect_secret text[],
  effect_tags text[], effect_correlation text[], effect_causation text[],
  effect_traceparent text[], ${parameters}
) returns integer[] language plpgsql volatile ${byIndexes} as $$
declare
  began timestamptz := clock_timestamp();
  new_id bigint[];
  fresh_count integer;
  known integer[];
  ${declared}
begin
  select array_agg(${newId}) into new_id from generate_subscripts(effect_key, 1) i;

  with fresh as (
    insert into refold.effects (id, key, kind, input, tags, correlation_id, causation_id,
      traceparent, requested_at)
    select new_id[i], effect_key[i], effect_kind[i], effect_input[i]::json,
      effect_tags[i]::text[], effect_correlation[i], effect_causation[i], effect_traceparent[i],
      now()
    from generate_subscripts(effect_key, 1) i where new_id[i] is not null
    order by effect_key[i] collate "C", i
    on conflict (key) do nothing returning id
  )
  select count(*) into fresh_count from fresh;

  if fresh_count < cardinality(new_id) then
    select array_agg(i) into known from generate_subscripts(new_id, 1) i
    where not exists (select from refold.effects e where e.id = new_id[i] offset 0);
  end if;

  insert into refold.open_effects (effect_id, kind, state, attempts, started_at, next_at, secret)
  select new_id[i], effect_kind[i],
    case when effect_lease_ms[i] is null then 'requested' else 'started' end,
    case when effect_lease_ms[i] is null then 0 else 1 end,
    case when effect_lease_ms[i] is not null then began end,
    case when effect_lease_ms[i] is null then now()
      else began + effect_lease_ms[i] * interval '1 millisecond' end,
    effect_secret[i]::json
  from generate_subscripts(effect_key, 1) i
  where known is null or exists (select from refold.effects e where e.id = new_id[i] offset 0);
  return known;
end $$;`;

/**
 * As the function of the same name, and the first try of those with a lease begins here: they need
 * no statement that takes them, and no second version of their row. The other one stays for the
 * processes of the version before.
 */
const requestBegun = requestFunction({
  parameters: "effect_lease_ms float8[]",
  newId: "nextval('refold.effect_ids')",
});

/**
 * As those of the same names, behind an append that isn't answered yet: each effect counts with the
 * request that brings it, of a key the first that counts. Those before stay for processes of the
 * version before.
 */
const ofRequests = [
  requestFunction({
    parameters: "effect_lease_ms float8[], effect_request integer[]",
    newId: `case when refold.was_appended(effect_request[i])
    then nextval('refold.effect_ids') end`,
  }),
  settleFunction({
    parameters: "settled_key text[], settled_answer text[], settled_request integer[]",
    answered: `
    select distinct on (settled_key[i] collate "C") e.id, settled_answer[i]::json as answer
    from generate_subscripts(settled_key, 1) i join refold.effects e on e.key = settled_key[i]
    where refold.was_appended(settled_request[i])
    order by settled_key[i] collate "C", i`,
  }),
].join("\n");

/** As before, with the verdicts as an array. */
const byArray = [
  requestFunction({
    parameters: "effect_lease_ms float8[], effect_request integer[]",
    newId: `case when ${wasAppended("effect_request[i]")} then nextval('refold.effect_ids') end`,
    declared: toldVerdicts,
  }),
  settleFunction({
    parameters: "settled_key text[], settled_answer text[], settled_request integer[]",
    answered: `
    select distinct on (settled_key[i] collate "C") e.id, settled_answer[i]::json as answer
    from generate_subscripts(settled_key, 1) i join refold.effects e on e.key = settled_key[i]
    where ${wasAppended("settled_request[i]")}
    order by settled_key[i] collate "C", i`,
    declared: toldVerdicts,
  }),
]
  .join("\n")
  .replaceAll("create function", "create or replace function");

export const migrations: readonly Migration[] = [
  { name: "effect-ledger-1", sql: [tables, request, take, fail, settle].join("\n") },
  { name: "effect-ledger-2", sql: requestBegun },
  { name: "effect-ledger-3", sql: ofRequests },
  { name: "effect-ledger-4", sql: byArray },
];
