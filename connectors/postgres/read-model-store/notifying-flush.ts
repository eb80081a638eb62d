import { noticesCall } from "../event-store/notices.ts";
import { lostPartitions } from "../positions/fence.ts";
import type { RowTable } from "../stored-rows/row-table.ts";
import {
  flushParameterCount,
  flushStatement,
  type FlushStatement,
  type NewRows,
} from "./flush-statement.ts";

/**
 * The flush with the notices of the generation that serves: the pointer's row is locked against a
 * swap, so that exactly one generation sends them, and the lanes' locks come last. A CTE that
 * nothing reads isn't run, hence the counts; they make one row without a partition where none was
 * lost. The parameters of the notices follow those of the flush.
 */
export function notifyingFlush(table: RowTable, newRows: NewRows): FlushStatement {
  const first = flushParameterCount(table, newRows) + 1;
  return flushStatement(
    table,
    newRows,
    `, serving as materialized (
      select from refold.serving where projection = $1 and generation = $2
        and (select holds from verdict) for share
    ), notified as materialized (
      select ${noticesCall(first)} from serving where (select count(*) from digested) >= 0
    )
    select lost.topic, lost.partition, told.count
    from (select count(*) from notified) told left join (${lostPartitions}) lost on true`,
  );
}
