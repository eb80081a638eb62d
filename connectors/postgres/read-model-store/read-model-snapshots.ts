import type { Pool } from "pg";

import type { AnyRow } from "../../../engine/columns.ts";
import { FatalError } from "../../../engine/errors.ts";
import type {
  ReadModelSnapshot,
  ReadModelSnapshots,
  SnapshotRow,
} from "../../../engine/ports/read-model-snapshots.ts";
import type { Generation } from "../../../engine/ports/read-model-store.ts";
import { int4Array } from "../binary-array.ts";
import { decodeRow, selectColumns } from "../stored-rows/row-table.ts";
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
      const ask: Ask = async (text, values = []) => {
        const found = await client.query<AnyRow>(text, [...values]).catch((error: unknown) => {
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
    const found = await ask(standingStatement, [projection, generation]);
    return {
      standing: (found as unknown as readonly StandingRow[]).map(standingPartition),
      rows: (partitions) => this.#rows(ask, stored, partitions),
    };
  }

  async *#rows(
    ask: Ask,
    { table }: StoredGeneration,
    partitions: ReadonlySet<number>,
  ): AsyncIterable<readonly SnapshotRow[]> {
    await ask(
      `declare copied no scroll cursor for
       select t.key as k, t.partition as p, ${selectColumns(table, "t").join(", ")}
       from ${table.sqlName} t where t.partition = any($1::int4[])`,
      [int4Array([...partitions])],
    );
    for (;;) {
      const found = await ask(`fetch ${this.#pageRows} from copied`);
      if (found.length === 0) break;
      yield found.map((row) => ({
        key: row["k"] as string,
        partition: row["p"] as number,
        row: decodeRow(table, row),
      }));
    }
    await ask("close copied");
  }
}

type Ask = (text: string, values?: readonly unknown[]) => Promise<readonly AnyRow[]>;
