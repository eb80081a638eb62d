import type { Pool } from "pg";

import type {
  EffectCount,
  EffectFilter,
  EffectLedger,
  EffectState,
  StoredEffect,
  TakeEffects,
} from "../../../engine/ports/effect-ledger.ts";
import { textArray } from "../binary-array.ts";
import { storableText } from "../stored-json.ts";
import { runStatement, type Stage } from "../transaction.ts";
import {
  allEffects,
  effectColumns,
  openColumns,
  storedEffect,
  type EffectRow,
} from "./stored-effect.ts";

/**
 * Rows that others are just taking are passed over. The time is asked once, since an index can't be
 * searched by a clock that moves on.
 */
const takeStatement = `
  with due as materialized (
    select effect_id, row_number() over () as place from (
      select effect_id from refold.open_effects
      where state <> 'failed' and next_at <= statement_timestamp() and kind = any ($1::text[])
      order by next_at, effect_id limit $2 for update skip locked) d
  ), o as (
    update refold.open_effects x set state = 'started', attempts = attempts + 1,
      started_at = statement_timestamp(),
      next_at = statement_timestamp() + $3::float8 * interval '1 millisecond'
    from due where x.effect_id = due.effect_id returning x.*, due.place
  )
  select ${openColumns} from o join refold.effects e on e.id = o.effect_id order by o.place`;

/** What is known under the key and isn't over. */
const running = `o.effect_id = (select e.id from refold.effects e where e.key = $1)
  and o.state <> 'failed'`;

/**
 * Lost with a crash of the server, a postponement is only made up for by the lease: nobody has to
 * wait until it is on disk.
 */
const postponeStatement = `
  with unsynced as (select set_config('synchronous_commit', 'off', true))
  update refold.open_effects o set state = 'requested', error = $2,
    next_at = clock_timestamp() + $3::float8 * interval '1 millisecond'
  from unsynced where ${running}`;

const giveUpStatement = `
  update refold.open_effects o set state = 'failed', error = $2, ended_at = clock_timestamp(),
    secret = null
  where ${running}`;

const retryStatement = `
  update refold.open_effects o set state = 'requested', next_at = clock_timestamp(), ended_at = null
  from refold.effects e
  where e.key = any ($1::text[]) and o.effect_id = e.id and o.state = 'failed'
  returning e.key`;

const countsStatement = `
  select c.kind, c.state, c.effects,
    (extract(epoch from clock_timestamp() - e.requested_at) * 1000)::float8 as oldest_ms
  from (
    select kind, state, count(*) as effects, min(effect_id) as oldest from refold.open_effects
    group by kind, state) c
  join refold.effects e on e.id = c.oldest
  order by c.kind, c.state`;

/** The ledger of effects; appends write it (`requestEffects`, `settleEffects`). */
export class PostgresEffectLedger implements EffectLedger {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  async take({ kinds, limit, leaseMs }: TakeEffects): Promise<readonly StoredEffect[]> {
    const rows = await this.#run<EffectRow>(
      { doing: "Taking effects", stage: "changing", text: takeStatement },
      [textArray(kinds), limit, leaseMs],
    );
    return rows.map(storedEffect);
  }

  async postpone(
    key: string,
    failure: { readonly afterMs: number; readonly error: string },
  ): Promise<void> {
    await this.#run({ doing: "Postponing an effect", stage: "changing", text: postponeStatement }, [
      key,
      storableText(failure.error),
      failure.afterMs,
    ]);
  }

  async giveUp(key: string, error: string): Promise<void> {
    const text = giveUpStatement;
    await this.#run({ doing: "Giving an effect up", stage: "changing", text }, [
      key,
      storableText(error),
    ]);
  }

  async retry(keys: readonly string[]): Promise<number> {
    const text = retryStatement;
    const rows = await this.#run({ doing: "Having effects tried again", stage: "changing", text }, [
      textArray(keys),
    ]);
    return rows.length;
  }

  async find(key: string): Promise<StoredEffect | undefined> {
    const [row] = await this.#read<EffectRow>(
      `select ${effectColumns} from ${allEffects} where e.key = $1`,
      [key],
    );
    return row && storedEffect(row);
  }

  async list(filter: EffectFilter): Promise<readonly StoredEffect[]> {
    const { kind, state, tag, correlationId, limit } = filter;
    const rows = await this.#read<EffectRow>(listStatement(filter), [
      kind,
      state,
      tag === undefined ? undefined : textArray([tag]),
      correlationId,
      limit,
    ]);
    return rows.map(storedEffect);
  }

  async counts(): Promise<readonly EffectCount[]> {
    const rows = await this.#read<CountRow>(countsStatement, []);
    return rows.map(({ kind, state, effects, oldest_ms: oldestMs }) => ({
      kind,
      state,
      effects: Number(effects),
      oldestMs: Math.max(0, oldestMs),
    }));
  }

  #read<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return this.#run<Row>({ doing: "Reading the effects", stage: "preparing", text }, values);
  }

  #run<Row extends object>(
    statement: { readonly doing: string; readonly stage: Stage; readonly text: string },
    values: readonly unknown[],
  ): Promise<Row[]> {
    return runStatement<Row>(this.#pool, { ...statement, values });
  }
}

interface CountRow {
  readonly kind: string;
  readonly state: EffectState;
  readonly effects: bigint;
  readonly oldest_ms: number;
}

/** From the table that finds them with the least: what is open, or all. */
function listStatement({ state }: EffectFilter): string {
  const found =
    state === undefined || state === "done"
      ? `${effectColumns} from ${allEffects}`
      : `${openColumns} from refold.open_effects o join refold.effects e on e.id = o.effect_id`;
  return `select ${found}
    where ($1::text is null or e.kind = $1) and ($2::text is null or coalesce(o.state, 'done') = $2)
      and ($3::text[] is null or e.tags @> $3)
      and ($4::text is null or e.correlation_id = $4
        and hashtextextended(e.correlation_id, 0) = hashtextextended($4, 0))
    order by e.id limit $5`;
}
