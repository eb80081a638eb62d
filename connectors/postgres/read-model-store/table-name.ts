import type { Columns } from "../../../engine/columns.ts";
import { quoted, rowTable, type RowTable } from "../stored-rows/row-table.ts";

/** Qualified and quoted. */
export const tableName = (projection: string, generation: number | string): string =>
  `read.${quoted(`${projection}__g${generation}`)}`;

export const generationTable = (of: {
  readonly projection: string;
  readonly generation: number;
  readonly columns: Columns;
}): RowTable => rowTable(of.projection, tableName(of.projection, of.generation), of.columns);
