import type { Pool } from "pg";

import type { Drift, Drifts } from "../../../engine/ports/drifts.ts";
import type { Generation } from "../../../engine/ports/read-model-store.ts";
import { textArray } from "../binary-array.ts";
import { runStatement } from "../transaction.ts";

export interface PostgresDriftsOptions {
  readonly pool: Pool;
  /** Keys of one generation (default 1,000). */
  readonly keysMax?: number;
}

interface DriftRow {
  readonly projection: string;
  readonly generation: number;
  readonly key: string;
  readonly kind: Drift["kind"];
  readonly fields: string[];
  readonly found_at: Date;
}

/** Drift in a table; it goes with its generation. */
export class PostgresDrifts implements Drifts {
  readonly #pool: Pool;
  readonly #keysMax: number;

  constructor(options: PostgresDriftsOptions) {
    this.#pool = options.pool;
    this.#keysMax = options.keysMax ?? 1_000;
  }

  /** Two audits at once may go over the maximum by one key each. */
  async note({ projection, generation, key, kind, fields }: Omit<Drift, "foundAtMs">) {
    await runStatement(this.#pool, {
      doing: `Writing down drift of ${projection}`,
      stage: "changing",
      text: `insert into refold.drifts (projection, generation, key, kind, fields)
        select $1::text, $2::int4, $3::text, $4::text, $5::text[]
        where exists (select 1 from refold.drifts
              where projection = $1 and generation = $2 and key = $3)
          or (select count(*) from refold.drifts where projection = $1 and generation = $2)
              < $6::int8
        on conflict (projection, generation, key)
          do update set kind = excluded.kind, fields = excluded.fields, found_at = excluded.found_at`,
      values: [projection, generation, key, kind, textArray(fields), this.#keysMax],
    });
  }

  async clear(of: Pick<Generation, "projection" | "generation">, key: string): Promise<void> {
    await runStatement(this.#pool, {
      doing: `Clearing drift of ${of.projection}`,
      stage: "changing",
      text: `delete from refold.drifts where projection = $1 and generation = $2 and key = $3`,
      values: [of.projection, of.generation, key],
    });
  }

  async list(projection?: string): Promise<readonly Drift[]> {
    const rows = await runStatement<DriftRow>(this.#pool, {
      doing: "Reading drift",
      stage: "preparing",
      text: `select d.* from refold.drifts d
        join refold.serving s using (projection, generation)
        where $1::text is null or projection = $1
        order by projection, key`,
      values: [projection ?? null],
    });
    return rows.map(({ found_at: foundAt, ...drift }) => ({
      ...drift,
      foundAtMs: foundAt.getTime(),
    }));
  }
}
