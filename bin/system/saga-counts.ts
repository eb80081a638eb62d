import type { Pool } from "pg";

import type { SagaCount } from "../../api/live/frame.ts";
import { tableName } from "../../connectors/postgres/read-model-store/table-name.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { Generations } from "../../engine/ports/generations.ts";

/** A read model whose rows each have a `status`. */
interface Followed {
  readonly name: string;
  readonly row: { readonly status: unknown };
}

export interface SagaCountsOptions {
  readonly pool: Pool;
  readonly generations: Pick<Generations, "list">;
  readonly clock: Clock;
  readonly of: Readonly<Record<string, Followed>>;
  /** The rest after counting, in times of what counting took: a bound on its share of the store. */
  readonly restTimes?: number;
}

type Counts = Readonly<Record<string, SagaCount | null>>;

const restTimes = 5;

/**
 * Counts rows by status in the tables that serve. That reads each table whole, so it is done again
 * only after a rest of five times as long: at most a sixth of one connection, whatever the
 * tables' size; each count tells when it was made.
 */
export class SagaCounts {
  readonly #options: SagaCountsOptions;
  #last: Counts = {};
  #dueAtMs = 0;

  constructor(options: SagaCountsOptions) {
    this.#options = options;
  }

  /** The newest counts; those of before while it is too early for others. */
  async look(): Promise<Counts> {
    const { clock, of } = this.#options;
    const fromMs = clock.nowMs();
    if (fromMs < this.#dueAtMs) return this.#last;
    const serving = await this.#serving();
    const counts: Record<string, SagaCount | null> = {};
    for (const [kind, { name }] of Object.entries(of)) {
      const generation = serving.get(name);
      counts[kind] = generation === undefined ? null : await this.#count(name, generation);
    }
    const nowMs = clock.nowMs();
    this.#dueAtMs = nowMs + (nowMs - fromMs) * (this.#options.restTimes ?? restTimes);
    this.#last = counts;
    return counts;
  }

  async #serving(): Promise<ReadonlyMap<string, number>> {
    const all = await this.#options.generations.list();
    const serving = all.filter(({ role }) => role === "serving");
    return new Map(serving.map(({ projection, generation }) => [projection, generation]));
  }

  /** null: the table was swapped out and dropped in this moment, or an older version has no status. */
  async #count(projection: string, generation: number): Promise<SagaCount | null> {
    const { clock, pool } = this.#options;
    try {
      const { rows } = await pool.query<{ status: string; rows: string }>(
        `select status, count(*) as rows from ${tableName(projection, generation)} group by status`,
      );
      const counts = rows.map((row) => [row.status, Number(row.rows)] as const);
      return { countedAtMs: clock.nowMs(), counts: Object.fromEntries(counts) };
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }
}

/** Undefined table, or column. */
const isGone = (error: unknown): boolean =>
  error instanceof Error && ["42P01", "42703"].includes(String((error as { code?: string }).code));
