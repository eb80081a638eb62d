import { repeatedSetting } from "../event-store/call-verdicts.ts";
import { markBase } from "../event-store/locks.ts";
import { byIndexes } from "../function-call.ts";
import type { Migration } from "../migrations.ts";

const table = `
  create table refold.idempotency_keys (
    scope text collate "C" not null,
    key text collate "C" not null,
    fingerprint text not null,
    answer json not null,
    kept_at timestamptz not null,
    primary key (scope, key)
  );
  create index idempotency_keys_kept on refold.idempotency_keys (kept_at);`;

/** Tries the lock of mark `i`, until the end of the transaction. */
const takenAlone = `pg_try_advisory_xact_lock(${markBase}
      + (hashtextextended(mark_key[i], hashtextextended(mark_scope[i], 0)) & 281474976710655))`;

/**
 * Takes marks for the transaction, and tells those that stand for something already, by their
 * subscripts: with an answer, or without one when another transaction has them. Nobody waits. Locks
 * are tried in a statement before the one that looks: what had the lock has committed by then, or is
 * told to be in progress.
 */
const claim = `
create function refold.claim_marks(mark_scope text[], mark_key text[])
returns table (mark integer, fingerprint text, answer json)
language plpgsql volatile ${byIndexes} as $$
declare
  got boolean[] := array_fill(false, array[cardinality(mark_key)]);
begin
  for i in 1 .. cardinality(mark_key) loop
    got[i] := ${takenAlone};
  end loop;
  return query
    select i, k.fingerprint, k.answer
    from generate_subscripts(mark_key, 1) i
    left join refold.idempotency_keys k on k.scope = mark_scope[i] and k.key = mark_key[i]
    where k.key is not null or not got[i];
end $$;`;

const keep = `
create function refold.keep_answers(
  mark_scope text[], mark_key text[], mark_fingerprint text[], mark_answer text[]
) returns void language sql volatile as $$
  insert into refold.idempotency_keys
  select scope, key, fingerprint, answer::json, clock_timestamp()
  from unnest(mark_scope, mark_key, mark_fingerprint, mark_answer)
    m (scope, key, fingerprint, answer)
$$;`;

/** Answers that were kept before stand for themselves: they are about no event. */
const eventIds = `
  alter table refold.idempotency_keys add column event_ids text[] not null default '{}';
  drop function refold.claim_marks(text[], text[]);
  drop function refold.keep_answers(text[], text[], text[], text[]);`;

/**
 * Answers under keys, by their subscripts, with what the store gave the events they are about.
 * OFFSET has each key looked up by itself: a plan from when the table was small may read all of it
 * instead, by an index, and look for the keys in that.
 */
const keptWithEvents = `
create function refold.kept_answers(mark_scope text[], mark_key text[])
returns table (
  mark integer, fingerprint text, answer json, kept_at_ms float8,
  positions bigint[], sequences bigint[], times bigint[]
) language plpgsql stable ${byIndexes} as $$
begin
  return query
    select i, k.fingerprint, k.answer, floor(extract(epoch from k.kept_at) * 1000)::float8,
      e.positions, e.sequences, e.times
    from generate_subscripts(mark_key, 1) i
    cross join lateral (select * from refold.idempotency_keys o
      where o.scope = mark_scope[i] and o.key = mark_key[i] offset 0) k
    cross join lateral (
      select array_agg(r.position order by m.n) as positions,
        array_agg(r.sequence order by m.n) as sequences,
        array_agg((extract(epoch from r.recorded_at) * 1000)::bigint order by m.n) as times
      from unnest(k.event_ids) with ordinality m (id, n)
      left join refold.events r on r.ce_id = m.id
    ) e;
end $$;`;

/**
 * Takes marks for the transaction, and tells those that stand for something already: with an answer,
 * or without one when another transaction has them, or another mark of this one. Nobody waits. Locks
 * are tried in a statement before the one that looks: what had the lock has committed by then, or is
 * told to be in progress. The append behind it is told which requests are repeated.
 */
const claimOfRequests = `
create function refold.claim_marks(
  mark_scope text[], mark_key text[], mark_again boolean[], mark_request integer[]
) returns table (
  mark integer, fingerprint text, answer json, kept_at_ms float8,
  positions bigint[], sequences bigint[], times bigint[]
) language plpgsql volatile ${byIndexes} as $$
declare
  got boolean[] := array_fill(false, array[cardinality(mark_key)]);
  taken integer[];
  repeated text := '';
begin
  for i in 1 .. cardinality(mark_key) loop
    got[i] := not mark_again[i] and ${takenAlone};
  end loop;

  select array_agg(i) into taken from generate_subscripts(mark_key, 1) i
  where not got[i] or exists (select from refold.idempotency_keys k
    where k.scope = mark_scope[i] and k.key = mark_key[i] offset 0);
  if taken is null then return; end if;

  for i in 1 .. cardinality(taken) loop
    repeated := overlay(rpad(repeated, greatest(length(repeated), mark_request[taken[i]]), '0')
      placing '6' from mark_request[taken[i]]);
  end loop;
  perform set_config('${repeatedSetting}', repeated, true);
  return query
    select i, k.fingerprint, k.answer, k.kept_at_ms, k.positions, k.sequences, k.times
    from unnest(taken) i left join refold.kept_answers(mark_scope, mark_key) k on k.mark = i;
end $$;`;

/** Answers count with their requests, by the number of each. */
const keepOfRequests = `
create function refold.keep_answers(
  mark_scope text[], mark_key text[], mark_fingerprint text[], mark_answer text[],
  mark_events text[], mark_request integer[]
) returns void language sql volatile as $$
  insert into refold.idempotency_keys (scope, key, fingerprint, answer, kept_at, event_ids)
  select m.scope, m.key, m.fingerprint, m.answer::json, clock_timestamp(), m.events::text[]
  from unnest(mark_scope, mark_key, mark_fingerprint, mark_answer, mark_events, mark_request)
    m (scope, key, fingerprint, answer, events, request)
  where refold.was_appended(m.request)
$$;`;

export const migrations: readonly Migration[] = [
  { name: "idempotency-keys-1", sql: [table, claim, keep].join("\n") },
  {
    name: "idempotency-keys-2",
    sql: [eventIds, keptWithEvents, claimOfRequests, keepOfRequests].join("\n"),
  },
];
