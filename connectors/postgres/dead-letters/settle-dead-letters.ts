import type { PoolClient } from "pg";

import { fencedOut, type Place } from "../../../engine/fencing.ts";
import type { LetterSettlement } from "../../../engine/ports/dead-letters.ts";
import { int4Array, int8Array, textArray } from "../binary-array.ts";
import { writable } from "./insert-dead-letters.ts";

/**
 * A wish that came after the letter was read stays, unless there is nothing left to wish for. The
 * row is compared as it is when it is locked: an operator's statement may be in between.
 */
const statement = `update refold.dead_letters d set
    disposition = s.disposition,
    attempts = d.attempts + s.tries,
    last_at = case when s.tries > 0 then now() else d.last_at end,
    cause = coalesce(s.cause, d.cause),
    message = coalesce(s.message, d.message),
    stack = case when s.cause is null then d.stack else s.stack end,
    reason = coalesce(s.reason, d.reason),
    settled_at = case when s.settles then now() end,
    asked = case when s.settles or d.asks = s.asks then s.asking else d.asked end,
    asked_reason = case when s.settles or d.asks = s.asks then s.asking_reason else d.asked_reason end
  from (
    select *, disposition in ('redriven', 'discarded') as settles
    from unnest($1::int8[], $2::text[], $3::int4[], $4::text[], $5::text[], $6::text[], $7::text[],
      $8::int4[], $9::text[], $10::text[]) as s (id, disposition, tries, cause, message, stack,
      reason, asks, asking, asking_reason)
  ) s
  where d.id = s.id and d.disposition in ('failed', 'waiting')`;

/**
 * Settles letters inside the caller's transaction, after its fences.
 *
 * @throws FencedError naming the flush's partitions when a letter was settled by somebody else.
 */
export async function settleDeadLetters(
  client: PoolClient,
  settlements: readonly LetterSettlement[],
  flush: { readonly owner: string; readonly advances: readonly Place[] },
): Promise<void> {
  if (settlements.length === 0) return;
  const values = columns(settlements);
  const { rowCount } = await client.query({
    name: "refold.settle_dead_letters",
    text: statement,
    values,
  });
  if (rowCount !== settlements.length) throw fencedOut(flush.owner, flush.advances);
}

function columns(settlements: readonly LetterSettlement[]): Buffer[] {
  const failures = settlements.map(({ failure }) => failure);
  return [
    int8Array(settlements.map(({ id }) => id)),
    textArray(settlements.map(({ disposition }) => disposition)),
    int4Array(settlements.map(({ tries }) => tries)),
    textArray(failures.map((failure) => failure?.cause)),
    textArray(failures.map((failure) => failure && writable(failure.message))),
    textArray(failures.map((failure) => failure?.stack && writable(failure.stack))),
    textArray(settlements.map(({ reason }) => reason && writable(reason))),
    int4Array(settlements.map(({ asks }) => asks)),
    textArray(settlements.map(({ asking }) => asking?.action)),
    textArray(settlements.map(({ asking }) => asking?.reason)),
  ];
}
