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

const asked = `e.key, e.kind, e.input, e.tags, e.correlation_id, e.causation_id, e.traceparent,
  e.requested_at`;

/** A select list of `refold.effects e` with its row of open effects, `o`. */
export const openColumns = `${asked}, o.secret, o.state, o.attempts, o.started_at, o.next_at,
  o.ended_at, null as answer, o.error`;

/** A select list of `refold.effects e` with `o`, or with its row of those that are done, `d`. */
export const effectColumns = `${asked}, o.secret, coalesce(o.state, 'done') as state,
  coalesce(o.attempts, d.attempts) as attempts, coalesce(o.started_at, d.started_at) as started_at,
  coalesce(o.next_at, d.next_at) as next_at, coalesce(o.ended_at, d.ended_at) as ended_at,
  d.answer, o.error`;

/** Joins of an effect, `e`, with its other row. */
export const ofEffect = `left join refold.open_effects o on o.effect_id = e.id
  left join refold.done_effects d on d.effect_id = e.id`;

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
