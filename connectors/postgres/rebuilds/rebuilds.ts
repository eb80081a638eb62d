import type { Pool, PoolClient } from "pg";

import { InvariantViolation } from "../../../engine/errors.ts";
import type {
  RebuildChange,
  RebuildRecord,
  RebuildRequest,
  Rebuilds,
  RebuildStart,
  RebuildState,
  RebuildWish,
  WishOptions,
} from "../../../engine/ports/rebuilds.ts";
import {
  assertTransition,
  openRebuildStates,
  rebuildLost,
  rebuildUnknown,
  takesWish,
} from "../../../engine/rebuild-states.ts";
import { textArray } from "../binary-array.ts";
import { giveTurn } from "../generations/turns.ts";
import { servingRow } from "../read-model-store/stored-generation.ts";
import { takeTurn } from "../read-model-store/turn.ts";
import { toJson } from "../stored-json.ts";
import { commit, inTransaction, rollback, runStatement } from "../transaction.ts";
import {
  changedColumns,
  rebuildColumns,
  rebuildRecord,
  type RebuildRow,
} from "./stored-rebuild.ts";

/** Rebuilds in a table that all processes see. */
export class PostgresRebuilds implements Rebuilds {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  start(request: RebuildRequest): Promise<RebuildStart> {
    const { projection, accept } = request;
    return inTransaction<RebuildStart>(
      this.#pool,
      `Starting a rebuild of ${projection}`,
      async (client) => {
        await takeTurn(client, projection);
        const serving = await servingRow(client, projection);
        if (serving === undefined) return rollback<RebuildStart>({ outcome: "never-built" });
        const open = await openRebuild(client, projection);
        if (open !== undefined) return rollback<RebuildStart>({ outcome: "open", record: open });
        const { rows } = await client.query<RebuildRow>(
          `insert into refold.rebuilds (projection, request, accept, base) values ($1, $2, $3, $4)
         returning ${rebuildColumns}`,
          [projection, toJson(request), accept, serving.generation],
        );
        await giveTurn(client);
        return commit<RebuildStart>({ outcome: "started", record: onlyRecord(rows) });
      },
    );
  }

  async find(id: bigint): Promise<RebuildRecord | undefined> {
    const [row] = await runStatement<RebuildRow>(this.#pool, {
      doing: `Looking up rebuild ${id}`,
      stage: "preparing",
      text: `select ${rebuildColumns} from refold.rebuilds where id = $1`,
      values: [id],
    });
    return row && rebuildRecord(row);
  }

  async list(filter: {
    readonly projection?: string;
    readonly states?: readonly RebuildState[];
    readonly limit: number;
  }): Promise<readonly RebuildRecord[]> {
    const { projection, states, limit } = filter;
    const rows = await runStatement<RebuildRow>(this.#pool, {
      doing: "Listing rebuilds",
      stage: "preparing",
      text: `select ${rebuildColumns} from refold.rebuilds
        where ($1::text is null or projection = $1) and ($2::text[] is null or state = any($2))
        order by id desc limit $3`,
      values: [projection ?? null, states === undefined ? null : textArray(states), limit],
    });
    return rows.map(rebuildRecord);
  }

  wish(id: bigint, wish: RebuildWish, options: WishOptions = {}): Promise<boolean> {
    const { accept, by, reason } = options;
    return inTransaction(this.#pool, `Asking rebuild ${id} to ${wish}`, async (client) => {
      const row = await lockedRow(client, id);
      if (row === undefined || !takesWish(rebuildRecord(row), wish, row.now_ms)) {
        return rollback(false);
      }
      const asked =
        by === undefined ? null : toJson({ wish, by, reason, atMs: Math.round(row.now_ms) });
      await client.query(
        `update refold.rebuilds set wish = $2, accept = coalesce($3, accept),
           asked = coalesce($4::json, asked), changed_at = clock_timestamp()
         where id = $1`,
        [id, wish, accept ?? null, asked],
      );
      await giveTurn(client);
      return commit(true);
    });
  }

  lead(id: bigint, conductor: string, leaseMs: number): Promise<RebuildRecord | undefined> {
    return inTransaction(this.#pool, `Leading rebuild ${id}`, async (client) => {
      const before = await lockedRow(client, id);
      if (before === undefined || (before.conductor ?? conductor) !== conductor) {
        return rollback<RebuildRecord | undefined>(undefined);
      }
      const { rows } = await client.query<RebuildRow>(
        `update refold.rebuilds set conductor = $2,
           lease_until = clock_timestamp() + $3::float8 * interval '1 millisecond'
         where id = $1 returning ${rebuildColumns}`,
        [id, conductor, leaseMs],
      );
      if (before.conductor === null) await giveTurn(client);
      return commit<RebuildRecord | undefined>(onlyRecord(rows));
    });
  }

  leave(id: bigint, conductor: string): Promise<void> {
    return inTransaction(this.#pool, `Leaving rebuild ${id}`, async (client) => {
      await client.query(
        `update refold.rebuilds set conductor = null, lease_until = null
         where id = $1 and conductor = $2`,
        [id, conductor],
      );
      await giveTurn(client);
      return commit(undefined);
    });
  }

  change(id: bigint, conductor: string, change: RebuildChange): Promise<RebuildRecord> {
    return inTransaction(this.#pool, `Writing down rebuild ${id}`, async (client) => {
      const before = await lockedRow(client, id);
      if (before === undefined) throw rebuildUnknown(id);
      const { set, values } = changedColumns(change, 3);
      if (change.state !== undefined) assertTransition(before, change.state);
      // A lease that has run out and that nobody else has taken is still this conductor's.
      const { rows } = await client.query<RebuildRow>(
        `update refold.rebuilds set ${set} where id = $1 and conductor = $2
         returning ${rebuildColumns}`,
        [id, conductor, ...values],
      );
      if (rows.length === 0) throw rebuildLost(id, conductor);
      await giveTurn(client);
      return commit(onlyRecord(rows));
    });
  }
}

async function lockedRow(client: PoolClient, id: bigint): Promise<RebuildRow | undefined> {
  const { rows } = await client.query<RebuildRow>(
    `select ${rebuildColumns} from refold.rebuilds where id = $1 for update`,
    [id],
  );
  return rows[0];
}

async function openRebuild(
  client: PoolClient,
  projection: string,
): Promise<RebuildRecord | undefined> {
  const { rows } = await client.query<RebuildRow>(
    `select ${rebuildColumns} from refold.rebuilds where projection = $1 and state = any($2)`,
    [projection, textArray(openRebuildStates)],
  );
  return rows[0] && rebuildRecord(rows[0]);
}

function onlyRecord(rows: readonly RebuildRow[]): RebuildRecord {
  const [row] = rows;
  if (row === undefined) throw new InvariantViolation("A row that was written isn't there.");
  return rebuildRecord(row);
}
