import type { Columns } from "../../../engine/columns.ts";
import { quoted, rowTable, type RowTable } from "../stored-rows/row-table.ts";

/** The table that keeps a snapshot's rows. */
export const snapshotTable = (of: {
  readonly id: bigint;
  readonly projection: string;
  readonly columns: Columns;
}): RowTable =>
  rowTable(of.projection, `snapshots.${quoted(`${of.projection}__s${of.id}`)}`, of.columns);
