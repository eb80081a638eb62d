import type { Pool } from "pg";

import type { AnyRow } from "../../../engine/columns.ts";
import { snapshotUnknown } from "../../../engine/generation-faults.ts";
import type { SnapshotRow } from "../../../engine/ports/read-model-snapshots.ts";
import type { Generation } from "../../../engine/ports/read-model-store.ts";
import type { SnapshotAudit, SnapshotInfo, Snapshots } from "../../../engine/ports/snapshots.ts";
import { storableText } from "../stored-json.ts";
import type { RowTable } from "../stored-rows/row-table.ts";
import { selectSnapshotRows, snapshotRow } from "../stored-rows/snapshot-rows.ts";
import { commit, inTransaction, isRelationMissing, runStatement } from "../transaction.ts";
import { snapshotInfo, type SnapshotRecord, snapshotSelect } from "./stored-snapshot.ts";
import { snapshotTable } from "./snapshot-table.ts";
import { takeSnapshot } from "./take.ts";

export interface PostgresSnapshotsOptions {
  readonly pool: Pool;
  /** Rows of one page (default 5,000). */
  readonly pageRows?: number;
}

/** Kept snapshots in tables of the schema `snapshots`, each as long as it is wanted. */
export class PostgresSnapshots implements Snapshots {
  readonly #pool: Pool;
  readonly #pageRows: number;

  constructor(options: PostgresSnapshotsOptions) {
    this.#pool = options.pool;
    this.#pageRows = options.pageRows ?? 5_000;
  }

  async take(of: Pick<Generation, "projection" | "generation">): Promise<SnapshotInfo> {
    return snapshotInfo(await this.#find(await takeSnapshot(this.#pool, of)));
  }

  async list(projection: string): Promise<readonly SnapshotInfo[]> {
    const rows = await runStatement<SnapshotRecord>(this.#pool, {
      doing: `Listing snapshots of ${projection}`,
      stage: "preparing",
      text: `${snapshotSelect} where s.projection = $1 order by s.id desc`,
      values: [projection],
    });
    return rows.map(snapshotInfo);
  }

  async audited(id: bigint, from: SnapshotAudit["from"]): Promise<void> {
    await this.#update(id, "audited_at = clock_timestamp(), audited_from = $2", [
      from === "beginning" ? null : from,
    ]);
  }

  async refuted(id: bigint, why: string): Promise<void> {
    await this.#update(id, "refuted = $2", [storableText(why)]);
  }

  remove(id: bigint): Promise<void> {
    return inTransaction(this.#pool, `Removing snapshot ${id}`, async (client) => {
      const { rows } = await client.query<SnapshotRecord>(
        "delete from refold.snapshots where id = $1 returning id, projection, columns",
        [id],
      );
      const [gone] = rows;
      if (gone !== undefined) {
        await client.query(`drop table if exists ${snapshotTable(gone).sqlName}`);
      }
      return commit(undefined);
    });
  }

  async row(
    id: bigint,
    key: string,
  ): Promise<{ readonly row: AnyRow; readonly partition: number } | undefined> {
    const [found] = await this.#select(await this.#table(id), id, {
      where: "t.key = $1",
      values: [key],
    });
    return found && { row: found.row, partition: found.partition };
  }

  async *rows(id: bigint): AsyncIterable<readonly SnapshotRow[]> {
    const table = await this.#table(id);
    let after: string | undefined;
    do {
      const page = await this.#select(table, id, {
        where: "$1::text is null or t.key > $1",
        values: [after ?? null],
      });
      if (page.length > 0) yield page;
      after = page.length < this.#pageRows ? undefined : page.at(-1)?.key;
    } while (after !== undefined);
  }

  async #select(
    table: RowTable,
    id: bigint,
    of: { readonly where: string; readonly values: readonly unknown[] },
  ): Promise<SnapshotRow[]> {
    try {
      const found = await runStatement<AnyRow>(this.#pool, {
        doing: `Reading snapshot ${id}`,
        stage: "preparing",
        text: `${selectSnapshotRows(table)} where ${of.where} order by t.key limit ${this.#pageRows}`,
        values: of.values,
      });
      return found.map((row) => snapshotRow(table, row));
    } catch (error) {
      if (isRelationMissing(error)) throw snapshotUnknown(id);
      throw error;
    }
  }

  async #table(id: bigint): Promise<RowTable> {
    return snapshotTable(await this.#find(id));
  }

  async #find(id: bigint): Promise<SnapshotRecord> {
    const [row] = await runStatement<SnapshotRecord>(this.#pool, {
      doing: `Looking up snapshot ${id}`,
      stage: "preparing",
      text: `${snapshotSelect} where s.id = $1`,
      values: [id],
    });
    if (row === undefined) throw snapshotUnknown(id);
    return row;
  }

  async #update(id: bigint, set: string, values: readonly unknown[]): Promise<void> {
    const found = await runStatement<object>(this.#pool, {
      doing: `Writing down the audit of snapshot ${id}`,
      stage: "changing",
      text: `update refold.snapshots set ${set} where id = $1 returning 1`,
      values: [id, ...values],
    });
    if (found.length === 0) throw snapshotUnknown(id);
  }
}
