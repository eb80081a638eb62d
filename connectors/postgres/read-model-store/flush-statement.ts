import { digestBuckets } from "../../../engine/digest.ts";
import type {
  DigestDelta,
  ReadModelFlush,
  RowMutation,
} from "../../../engine/ports/read-model-store.ts";
import { int4Array, int8ArrayOfNumbers } from "../binary-array.ts";
import { fence, fenceParameterCount, fenceParameters, lostPartitions } from "../positions/fence.ts";
import { sliceBuckets } from "../stored-digests.ts";
import {
  insertParameterCount,
  insertParameters,
  insertRows,
  rowParameterCount,
  rowParameters,
  statementName,
  writeRows,
  type KeyedRow,
  type RowTable,
} from "../stored-rows/row-table.ts";

const low32 = 0xffff_ffffn;
const two32 = 2 ** 32;
/** The one statement that fences, writes rows and digests, and moves the positions. */
export interface FlushStatement {
  readonly name: string;
  readonly text: string;
}

const digestParameterCount = 4;

/** What is done with rows that the flush says are new: put in, or upserted as all others. */
export type NewRows = "insert" | "upsert";

/** With fewer new rows than this, what their own part of the statement costs is more than it saves. */
const insertedMin = 100;

export const newRowsOf = ({ rows }: ReadModelFlush): NewRows =>
  rows.filter(isNew).length < insertedMin ? "upsert" : "insert";

const isNew = ({ row, isUpdate }: RowMutation): boolean => row !== undefined && isUpdate === false;

const rowsParameterCount = (table: RowTable, newRows: NewRows): number =>
  rowParameterCount(table) + (newRows === "insert" ? insertParameterCount(table) : 0);

export const flushParameterCount = (table: RowTable, newRows: NewRows): number =>
  fenceParameterCount + rowsParameterCount(table, newRows) + digestParameterCount;

/**
 * @param ending Follows the CTEs, and may add to them.
 * @returns A statement that fails with `unique_violation`, if it inserts and finds such a row.
 */
export function flushStatement(
  table: RowTable,
  newRows: NewRows,
  ending = lostPartitions,
): FlushStatement {
  const when = "(select holds from verdict)";
  const upserts = writeRows(table, { first: fenceParameterCount + 1, when });
  const firstOfInserts = fenceParameterCount + rowParameterCount(table) + 1;
  const rows =
    newRows === "insert"
      ? `${upserts}, ${insertRows(table, { first: firstOfInserts, when })}`
      : upserts;
  const first = fenceParameterCount + rowsParameterCount(table, newRows) + 1;
  const slice = (parameter: number): string =>
    `($${parameter}::int8[])[s * ${sliceBuckets} + 1 : (s + 1) * ${sliceBuckets}]`;
  const text = `with ${fence}, ${rows}, digested as (
      insert into refold.digests as d (projection, generation, slice, high, low, rows)
      select $1, $2, s, ${slice(first + 1)}, ${slice(first + 2)}, ${slice(first + 3)}
      from unnest($${first}::int4[]) as s
      where ${when}
      on conflict (projection, generation, slice) do update set (high, low, rows) = (
        select array_agg((h + more_h + ((l + more_l) >> 32)) & ${low32} order by i),
          array_agg((l + more_l) & ${low32} order by i), array_agg(r + more_r order by i)
        from unnest(d.high, d.low, d.rows, excluded.high, excluded.low, excluded.rows)
          with ordinality as sums (h, l, r, more_h, more_l, more_r, i)
      )
      returning 1
    ) ${ending}`;
  return { name: statementName(text), text };
}

export function flushParameters(
  table: RowTable,
  flush: ReadModelFlush,
  newRows: NewRows,
): unknown[] {
  const { projection, generation } = flush.generation;
  const kept: KeyedRow[] = [];
  const inserted: KeyedRow[] = [];
  const deleted: string[] = [];
  for (const mutation of flush.rows) {
    const { key, partition, row } = mutation;
    if (row === undefined) deleted.push(key);
    else if (newRows === "insert" && isNew(mutation)) inserted.push({ key, partition, row });
    else kept.push({ key, partition, row });
  }
  const { slices, high, low, rows } = sliced(flush.digests);
  return [
    ...fenceParameters({ consumer: projection, generation }, flush.advances),
    ...rowParameters(table, kept, deleted),
    ...(newRows === "insert" ? insertParameters(table, inserted) : []),
    int4Array(slices),
    int8ArrayOfNumbers(high),
    int8ArrayOfNumbers(low),
    int8ArrayOfNumbers(rows),
  ];
}

/**
 * All buckets' changes, and which rows of the table they touch. Those are shared by all partitions,
 * so that two flushes may meet in one: sorted, they queue.
 */
function sliced(deltas: readonly DigestDelta[]) {
  const [high, low, rows] = [zeros(), zeros(), zeros()];
  const touched = new Set<number>();
  for (const { bucket, hash, rows: count } of deltas) {
    const sum = (low[bucket] as number) + Number(hash & low32);
    const carry = sum >= two32 ? 1 : 0;
    low[bucket] = sum % two32;
    high[bucket] = ((high[bucket] as number) + Number((hash >> 32n) & low32) + carry) % two32;
    rows[bucket] = (rows[bucket] as number) + count;
    touched.add(Math.floor(bucket / sliceBuckets));
  }
  return { slices: [...touched].sort((a, b) => a - b), high, low, rows };
}

const zeros = (): number[] => Array.from({ length: digestBuckets }, () => 0);
