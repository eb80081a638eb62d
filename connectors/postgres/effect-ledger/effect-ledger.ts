import type { Pool } from "pg";

import { Gathering } from "../../../engine/gathering.ts";
import type {
  EffectCount,
  EffectFilter,
  EffectLedger,
  EffectState,
  StoredEffect,
  TakeEffects,
} from "../../../engine/ports/effect-ledger.ts";
import { float8Array, textArray } from "../binary-array.ts";
import { storableText } from "../stored-json.ts";
import { runStatement, type Stage } from "../transaction.ts";
import {
  effectColumns,
  ofEffect,
  openColumns,
  storedEffect,
  type EffectRow,
} from "./stored-effect.ts";

const takeStatement = "select * from refold.take_effects($1::text[], $2::integer, $3::float8)";
const failStatement = "select refold.fail_effects($1::text[], $2::text[], $3::float8[])";

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

/** A try that failed; without a time for the next one it is given up. */
interface Failure {
  readonly key: string;
  readonly error: string;
  readonly afterMs: number | undefined;
}

/** Failures in one statement. */
const failuresMax = 1_000;

/** The ledger of effects; appends write it (`requestEffects`, `settleEffects`). */
export class PostgresEffectLedger implements EffectLedger {
  readonly #pool: Pool;
  readonly #failures: Gathering<Failure>;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
    const write = (failures: readonly Failure[]) => this.#fail(failures);
    this.#failures = new Gathering({ write, batchMax: failuresMax });
  }

  async take({ kinds, limit, leaseMs }: TakeEffects): Promise<readonly StoredEffect[]> {
    const rows = await this.#run<EffectRow>(
      { doing: "Taking effects", stage: "changing", name: "refold.take", text: takeStatement },
      [textArray(kinds), limit, leaseMs],
    );
    return rows.map(storedEffect);
  }

  postpone(
    key: string,
    failure: { readonly afterMs: number; readonly error: string },
  ): Promise<void> {
    return this.#failures.add({ key, ...failure });
  }

  giveUp(key: string, error: string): Promise<void> {
    return this.#failures.add({ key, error, afterMs: undefined });
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
      `select ${effectColumns} from refold.effects e ${ofEffect} where e.key = $1`,
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

  /** Of one effect that comes twice, having it given up counts, or else what came last. */
  async #fail(all: readonly Failure[]): Promise<void> {
    const failures = new Map<string, Failure>();
    for (const one of all) {
      const before = failures.get(one.key);
      if (before === undefined || before.afterMs !== undefined) failures.set(one.key, one);
    }
    const rows = [...failures.values()];
    await this.#run({ doing: "Noting tries that failed", stage: "changing", text: failStatement }, [
      textArray(rows.map(({ key }) => key)),
      textArray(rows.map(({ error }) => storableText(error))),
      float8Array(rows.map(({ afterMs }) => afterMs)),
    ]);
  }

  #read<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return this.#run<Row>({ doing: "Reading the effects", stage: "preparing", text }, values);
  }

  #run<Row extends object>(
    statement: {
      readonly doing: string;
      readonly stage: Stage;
      readonly name?: string;
      readonly text: string;
    },
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

/**
 * From the table that finds them with the least: what is open, or all. What has a tag is found first:
 * in order of being requested, a planner that hopes for the first few would walk through them all.
 */
function listStatement({ state, tag }: EffectFilter): string {
  const all = state === undefined || state === "done";
  const effects = tag === undefined ? "refold.effects" : "tagged";
  const found = all
    ? `${effectColumns} from ${effects} e ${ofEffect}`
    : `${openColumns} from ${effects} e join refold.open_effects o on o.effect_id = e.id`;
  const inState = all ? "coalesce(o.state, 'done')" : "o.state";
  return `with tagged as materialized (select * from refold.effects where tags @> $3::text[])
    select ${found}
    where ($1::text is null or e.kind = $1) and ($2::text is null or ${inState} = $2)
      and ($4::text is null or e.correlation_id = $4
        and hashtextextended(e.correlation_id, 0) = hashtextextended($4, 0))
    order by e.id limit $5`;
}
