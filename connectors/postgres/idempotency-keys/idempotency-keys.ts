import type { Pool } from "pg";

import { Gathering } from "../../../engine/gathering.ts";
import type { KeptOnce } from "../../../engine/ports/alongside.ts";
import type { IdempotencyKeys } from "../../../engine/ports/idempotency-keys.ts";
import { textArray } from "../binary-array.ts";
import { runStatement } from "../transaction.ts";
import { answeredOnce, type KeptRow } from "./kept-row.ts";

interface SoughtAnswer {
  readonly scope: string;
  readonly key: string;
  /** Where one was found. */
  kept?: KeptOnce;
}

const batchMax = 500;

/** Answers under clients' keys; appends write them (`claimMarks`, `keepAnswers`). */
export class PostgresIdempotencyKeys implements IdempotencyKeys {
  readonly #pool: Pool;
  /** Every command with a key asks: what comes while others are looked up goes together. */
  readonly #sought: Gathering<SoughtAnswer>;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
    this.#sought = new Gathering({ write: (sought) => this.#lookUp(sought), batchMax });
  }

  async find(of: { readonly scope: string; readonly key: string }): Promise<KeptOnce | undefined> {
    const sought: SoughtAnswer = { scope: of.scope, key: of.key };
    await this.#sought.add(sought);
    return sought.kept;
  }

  async #lookUp(all: readonly SoughtAnswer[]): Promise<void> {
    const rows = await runStatement<KeptRow>(this.#pool, {
      doing: "Looking up kept answers",
      stage: "preparing",
      name: "refold-kept-answers",
      text: "select * from refold.kept_answers($1::text[], $2::text[])",
      values: [textArray(all.map(({ scope }) => scope)), textArray(all.map(({ key }) => key))],
    });
    for (const row of rows) {
      // The server counts from 1.
      const sought = all[row.mark - 1];
      if (sought !== undefined) sought.kept = answeredOnce(sought, row);
    }
  }

  /** What others are just deleting is passed over. */
  async purge(before: { readonly beforeMs: number; readonly limit: number }): Promise<number> {
    const rows = await runStatement(this.#pool, {
      doing: "Forgetting old answers",
      stage: "changing",
      text: `delete from refold.idempotency_keys where (scope, key) in (
          select scope, key from refold.idempotency_keys
          where kept_at < timestamptz 'epoch' + $1::float8 * interval '1 millisecond'
          order by kept_at limit $2 for update skip locked)
        returning 1`,
      values: [before.beforeMs, before.limit],
    });
    return rows.length;
  }
}
