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
    got[i] := pg_try_advisory_xact_lock(${markBase}
      + (hashtextextended(mark_key[i], hashtextextended(mark_scope[i], 0)) & 281474976710655));
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

export const migrations: readonly Migration[] = [
  { name: "idempotency-keys-1", sql: [table, claim, keep].join("\n") },
];
