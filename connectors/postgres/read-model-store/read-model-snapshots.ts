import type { Pool } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import type {
  ReadModelSnapshot,
  ReadModelSnapshots,
} from "../../../engine/ports/read-model-snapshots.ts";
import type { Generation } from "../../../engine/ports/read-model-store.ts";
import { int4Array } from "../binary-array.ts";
import { type Ask, cursorPages } from "../stored-rows/snapshot-rows.ts";
import { storeError, withClient } from "../transaction.ts";
import { standingPartition, standingStatement, type StandingRow } from "./standing.ts";
import { findGeneration, findServing, type StoredGeneration } from "./stored-generation.ts";

export interface PostgresReadModelSnapshotsOptions {
  readonly pool: Pool;
  /** Rows of one page (default 5,000). */
  readonly pageRows?: number;
}

/** Snapshots of read models: repeatable reads, read by a cursor. */
export class PostgresReadModelSnapshots implements ReadModelSnapshots {
  readonly #pool: Pool;
  readonly #pageRows: number;

  constructor(options: PostgresReadModelSnapshotsOptions) {
    this.#pool = options.pool;
    this.#pageRows = options.pageRows ?? 5_000;
  }

  async within<Result>(
    generation: Generation,
    work: (snapshot: ReadModelSnapshot) => Promise<Result>,
  ): Promise<Result> {
    const stored = await findGeneration(this.#pool, generation);
    const doing = `Copying ${generation.projection}`;
    return withClient(this.#pool, doing, async (client) => {
      const ask: Ask = async <Row extends object>(
        text: string,
        values: readonly unknown[] = [],
      ) => {
        const found = await client.query<Row>(text, [...values]).catch((error: unknown) => {
          throw storeError(error, doing, "preparing");
        });
        return found.rows;
      };
      await ask("begin isolation level repeatable read, read only");
      try {
        return await work(await this.#snapshot(ask, stored));
      } finally {
        await client.query("rollback").catch(() => undefined);
      }
    });
  }

  async serving(projection: string): Promise<Generation | undefined> {
    try {
      const { generation, version } = await findServing(this.#pool, projection);
      return { projection, generation, version, serving: true };
    } catch (error) {
      if (error instanceof FatalError && error.code === "no-generation") return undefined;
      throw error;
    }
  }

  async #snapshot(ask: Ask, stored: StoredGeneration): Promise<ReadModelSnapshot> {
    const { projection, generation } = stored;
    const found = await ask<StandingRow>(standingStatement, [projection, generation]);
    const pageRows = this.#pageRows;
    return {
      standing: found.map(standingPartition),
      rows: (partitions) =>
        cursorPages(ask, stored.table, {
          cursor: "copied",
          pageRows,
          which: "where t.partition = any($1::int4[])",
          values: [int4Array([...partitions])],
        }),
    };
  }
}
