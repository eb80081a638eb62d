import type { EffectState, StoredEffect } from "../../../engine/ports/effect-ledger.ts";

/** An effect with what is open of it. */
export interface EffectRow {
  readonly key: string;
  readonly kind: string;
  readonly input: unknown;
  readonly secret: unknown;
  readonly tags: string[];
  readonly correlation_id: string;
  readonly causation_id: string | null;
  readonly traceparent: string | null;
  readonly requested_at: Date;
  readonly state: EffectState;
  readonly attempts: number;
  readonly started_at: Date | null;
  readonly next_at: Date;
  readonly ended_at: Date | null;
  readonly answer: unknown;
  readonly error: string | null;
}

/** A select list of `refold.effects e` and `refold.open_effects o`, which may be missing. */
export const effectColumns = `e.key, e.kind, e.input, o.secret, e.tags, e.correlation_id,
  e.causation_id, e.traceparent, e.requested_at, coalesce(o.state, 'done') as state,
  coalesce(o.attempts, e.attempts) as attempts, coalesce(o.started_at, e.started_at) as started_at,
  coalesce(o.next_at, e.next_at) as next_at, coalesce(o.ended_at, e.ended_at) as ended_at,
  e.answer, o.error`;

export const storedEffect = (row: EffectRow): StoredEffect => ({
  key: row.key,
  kind: row.kind,
  input: row.input,
  ...(row.secret === null ? {} : { secret: row.secret }),
  tags: row.tags,
  correlationId: row.correlation_id,
  ...(row.causation_id === null ? {} : { causationId: row.causation_id }),
  ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  state: row.state,
  attempts: row.attempts,
  requestedAt: row.requested_at,
  startedAt: row.started_at ?? undefined,
  nextAt: row.next_at,
  endedAt: row.ended_at ?? undefined,
  answer: row.state === "done" ? row.answer : undefined,
  error: row.error ?? undefined,
});
