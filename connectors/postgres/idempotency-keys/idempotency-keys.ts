import type { Pool } from "pg";

import type { KeptOnce } from "../../../engine/ports/alongside.ts";
import type { IdempotencyKeys } from "../../../engine/ports/idempotency-keys.ts";
import { runStatement } from "../transaction.ts";

/** Answers under clients' keys; appends write them (`claimMarks`, `keepAnswers`). */
export class PostgresIdempotencyKeys implements IdempotencyKeys {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  async find(of: { readonly scope: string; readonly key: string }): Promise<KeptOnce | undefined> {
    const { scope, key } = of;
    const [row] = await runStatement<{ fingerprint: string; answer: unknown }>(this.#pool, {
      doing: "Looking up a kept answer",
      stage: "preparing",
      name: "refold-kept-answer",
      text: "select fingerprint, answer from refold.idempotency_keys where scope = $1 and key = $2",
      values: [scope, key],
    });
    return row && { state: "answered", scope, key, ...row };
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
