import type { Pool } from "pg";

import type { AnyRow } from "../../../engine/columns.ts";
import { InvariantViolation } from "../../../engine/errors.ts";
import { generationUnknown } from "../../../engine/generation-faults.ts";
import type { Comparisons, ViewedGeneration } from "../../../engine/ports/comparisons.ts";
import type { SnapshotRow, StandingPartition } from "../../../engine/ports/read-model-snapshots.ts";
import type { Generation } from "../../../engine/ports/read-model-store.ts";
import {
  standingPartition,
  standingStatement,
  type StandingRow,
} from "../read-model-store/standing.ts";
import { findGeneration, type StoredGeneration } from "../read-model-store/stored-generation.ts";
import { type BucketRow, digestStatement, storedDigests } from "../stored-digests.ts";
import {
  type Ask,
  cursorPages,
  selectSnapshotRows,
  snapshotRow,
} from "../stored-rows/snapshot-rows.ts";
import { isRelationMissing, storeError, withClient } from "../transaction.ts";

export interface PostgresComparisonsOptions {
  readonly pool: Pool;
  /** Rows of one page (default 5,000). */
  readonly pageRows?: number;
  /** Between two pages; a client that is silent for longer is cut off (default 30 s). */
  readonly idleTimeoutMs?: number;
}

/** Generations at one moment: one repeatable read, by cursors, on one connection. */
export class PostgresComparisons implements Comparisons {
  readonly #options: PostgresComparisonsOptions;

  constructor(options: PostgresComparisonsOptions) {
    this.#options = options;
  }

  async within<Result>(
    generations: readonly Pick<Generation, "projection" | "generation">[],
    work: (views: readonly ViewedGeneration[]) => Promise<Result>,
  ): Promise<Result> {
    const { pool } = this.#options;
    const stored = await Promise.all(generations.map((one) => findGeneration(pool, one)));
    const doing = `Comparing generations of ${stored[0]?.projection ?? "nothing"}`;
    return withClient(pool, doing, async (client) => {
      let over = false;
      const ask: Ask = async <Row extends object>(
        text: string,
        values: readonly unknown[] = [],
      ) => {
        if (over) throw new InvariantViolation("A view of generations is read after its end.");
        const found = await client.query<Row>(text, [...values]).catch((error: unknown) => {
          throw storeError(error, doing, "preparing");
        });
        return found.rows;
      };
      try {
        await this.#begin(ask, stored);
        const views: ViewedGeneration[] = [];
        for (const one of stored) views.push(await this.#view(ask, one, views.length));
        return await work(views);
      } finally {
        over = true;
        await client.query("rollback").catch(() => undefined);
      }
    });
  }

  /** The tables are locked against being dropped first, and then the moment is fixed. */
  async #begin(ask: Ask, stored: readonly StoredGeneration[]): Promise<void> {
    await ask("begin isolation level repeatable read, read only");
    const { idleTimeoutMs = 30_000 } = this.#options;
    await ask(`set local idle_in_transaction_session_timeout = ${idleTimeoutMs}`);
    for (const { projection, generation, table } of stored) {
      try {
        await ask(`lock table ${table.sqlName} in access share mode`);
      } catch (error) {
        if (isRelationMissing(error)) throw generationUnknown(projection, generation);
        throw error;
      }
    }
  }

  async #view(ask: Ask, stored: StoredGeneration, number: number): Promise<ViewedGeneration> {
    const of = [stored.projection, stored.generation];
    const standing: StandingPartition[] = (await ask<StandingRow>(standingStatement, of)).map(
      standingPartition,
    );
    const digests = storedDigests(await ask<BucketRow>(digestStatement, of));
    const { pageRows = 5_000 } = this.#options;
    let readings = 0;
    return {
      standing,
      digests,
      rows: () => {
        readings += 1;
        const cursor = `compared_${number}_${readings}`;
        return cursorPages(ask, stored.table, { cursor, pageRows, which: "order by t.key" });
      },
      row: (key) => oneRow(ask, stored, key),
    };
  }
}

async function oneRow(
  ask: Ask,
  { table }: StoredGeneration,
  key: string,
): Promise<SnapshotRow | undefined> {
  const [row] = await ask<AnyRow>(`${selectSnapshotRows(table)} where t.key = $1`, [key]);
  return row && snapshotRow(table, row);
}
