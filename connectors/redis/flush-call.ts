import type {
  Advance,
  DigestDelta,
  ReadModelFlush,
  RowMutation,
} from "../../engine/ports/read-model-store.ts";
import { rowKey } from "./keys.ts";
import { positionText } from "./position-text.ts";
import type { RowText } from "./row-text.ts";

/** One partition's share of a flush. */
export interface PartitionFlush {
  readonly partition: number;
  readonly advances: readonly Advance[];
  readonly rows: readonly RowMutation[];
  readonly digests: readonly DigestDelta[];
}

interface Collected extends PartitionFlush {
  readonly advances: Advance[];
  readonly rows: RowMutation[];
  readonly digests: DigestDelta[];
}

/** A flush by partition, in their order. Digests that name none go to the first. */
export function partitionsOf(flush: Pick<ReadModelFlush, "advances" | "rows" | "digests">) {
  const parts = new Map<number, Collected>();
  const of = (partition: number): Collected => {
    let part = parts.get(partition);
    if (part === undefined) {
      part = { partition, advances: [], rows: [], digests: [] };
      parts.set(partition, part);
    }
    return part;
  };
  for (const advance of flush.advances) of(advance.partition).advances.push(advance);
  for (const row of flush.rows) of(row.partition).rows.push(row);
  const first = parts.size === 0 ? 0 : Math.min(...parts.keys());
  for (const digest of flush.digests) of(digest.partition ?? first).digests.push(digest);
  return [...parts.values()].sort((a, b) => a.partition - b.partition);
}

type Argument = string | number;

export function fenceArguments(advances: readonly Advance[]): Argument[] {
  const args: Argument[] = [advances.length];
  for (const { topic, epoch, from, to, lastRecordedAtMs } of advances) {
    args.push(topic, String(epoch), positionText(from), positionText(to), lastRecordedAtMs ?? "");
  }
  return args;
}

/** As the flush script wants them; `tag` is the partition's key. */
export function flushArguments(flush: PartitionFlush, tag: string, text: RowText): Argument[] {
  const puts: Argument[] = [];
  const added: Argument[] = [];
  const gone: Argument[] = [];
  const names: Argument[] = [];
  for (const { key, row, isUpdate } of flush.rows) {
    const name = rowKey(tag, key);
    if (row === undefined) {
      gone.push(name);
      names.push(key);
    } else {
      puts.push(name, text.encode(row));
      if (isUpdate !== true) added.push(0, key);
    }
  }
  const args = fenceArguments(flush.advances);
  for (const list of [puts, added, gone, names]) {
    args.push(list.length);
    for (const argument of list) args.push(argument);
  }
  for (const { bucket, high, low, rows } of summed(flush.digests)) {
    args.push(bucket, high, low, rows);
  }
  return args;
}

const low32 = 0xffff_ffffn;

/** One change for each bucket, in their order, as two halves of 32 bits. */
function summed(digests: readonly DigestDelta[]) {
  const sums = new Map<number, { hash: bigint; rows: number }>();
  for (const { bucket, hash, rows } of digests) {
    const sum = sums.get(bucket);
    if (sum === undefined) sums.set(bucket, { hash, rows });
    else {
      sum.hash += hash;
      sum.rows += rows;
    }
  }
  const inOrder = [...sums].sort(([one], [other]) => one - other);
  return inOrder.map(([bucket, { hash, rows }]) => ({
    bucket,
    high: Number((hash >> 32n) & low32),
    low: Number(hash & low32),
    rows,
  }));
}
