import type { DigestDelta, ReadModelFlush } from "../../../engine/ports/read-model-store.ts";
import { int4Array, int8Array, int8ArrayOfNumbers } from "../binary-array.ts";
import { fence, fenceParameterCount, fenceParameters, lostPartitions } from "../positions/fence.ts";
import {
  rowParameterCount,
  rowParameters,
  statementName,
  writeRows,
  type KeyedRow,
  type RowTable,
} from "../stored-rows/row-table.ts";

const low32 = 0xffff_ffffn;

/** The one statement that fences, writes rows and digests, and moves the positions. */
export interface FlushStatement {
  readonly name: string;
  readonly text: string;
}

export const digestParameterCount = 4;

/** `ending` follows the CTEs, and may add to them. */
export function flushStatement(table: RowTable, ending = lostPartitions): FlushStatement {
  const when = "(select holds from verdict)";
  const rows = writeRows(table, { first: fenceParameterCount + 1, when });
  const first = fenceParameterCount + rowParameterCount(table) + 1;
  const text = `with ${fence}, ${rows}, digested as (
      insert into refold.digests as d (projection, generation, bucket, high, low, rows)
      select $1, $2, given.* from unnest($${first}::int4[], $${first + 1}::int8[],
        $${first + 2}::int8[], $${first + 3}::int8[]) as given (bucket, high, low, rows)
      where ${when}
      on conflict (projection, generation, bucket) do update set
        low = (d.low + excluded.low) & ${low32},
        high = (d.high + excluded.high + ((d.low + excluded.low) >> 32)) & ${low32},
        rows = d.rows + excluded.rows
      returning 1
    ) ${ending}`;
  return { name: statementName(text), text };
}

export function flushParameters(table: RowTable, flush: ReadModelFlush): unknown[] {
  const { projection, generation } = flush.generation;
  const kept: KeyedRow[] = [];
  const deleted: string[] = [];
  for (const { key, partition, row } of flush.rows) {
    if (row === undefined) deleted.push(key);
    else kept.push({ key, partition, row });
  }
  const digests = oneForEachBucket(flush.digests);
  return [
    ...fenceParameters({ consumer: projection, generation }, flush.advances),
    ...rowParameters(table, kept, deleted),
    int4Array(digests.map(({ bucket }) => bucket)),
    int8Array(digests.map(({ hash }) => hash >> 32n)),
    int8Array(digests.map(({ hash }) => hash & low32)),
    int8ArrayOfNumbers(digests.map(({ rows }) => rows)),
  ];
}

/** Buckets are shared by all partitions, so that two flushes may meet in one: sorted, they queue. */
function oneForEachBucket(deltas: readonly DigestDelta[]): DigestDelta[] {
  const sums = new Map<number, DigestDelta>();
  for (const { bucket, hash, rows } of deltas) {
    const sum = sums.get(bucket) ?? { bucket, hash: 0n, rows: 0 };
    sums.set(bucket, { bucket, hash: BigInt.asUintN(64, sum.hash + hash), rows: sum.rows + rows });
  }
  return [...sums.values()].sort((a, b) => a.bucket - b.bucket);
}
