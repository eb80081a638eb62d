import { expect } from "vitest";

import { offset, type Offset } from "../../engine/position.ts";
import type {
  Fetch,
  PartitionAppend,
  ReadOptions,
  RecordLog,
  RecordToAppend,
} from "../../engine/ports/record-log.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";

export interface RecordSeen {
  readonly partition: number;
  readonly offset: number;
  readonly text: string;
}

export const recordOf = (text: string, timestampMs = 1_000): RecordToAppend => ({
  timestampMs,
  key: Buffer.from("key"),
  value: Buffer.from(text),
  headers: [{ name: "ce_id", value: Buffer.from(`id-${text}`) }],
});

export const appendOf = (
  topic: string,
  partition: number,
  records: readonly RecordToAppend[],
): PartitionAppend => ({ topic, partition, records });

export const fromStart = (...partitions: number[]): Map<number, Offset> =>
  new Map(partitions.map((partition) => [partition, offset(0)]));

/** The records of a fetch from the offsets wanted on, which it moves to where the fetch ends. */
export function recordsOf(fetch: Fetch, wanted: Map<number, Offset>): RecordSeen[] {
  const cursor = new RecordCursor({ verify: "checksum" });
  const seen: RecordSeen[] = [];
  for (const { partition, bytes, nextOffset } of fetch.partitions) {
    cursor.reset(bytes, wanted.get(partition) ?? 0n);
    while (cursor.next()) {
      const text = bytes.toString("utf8", cursor.valueStart, cursor.valueEnd);
      seen.push({ partition, offset: cursor.offset, text });
    }
    wanted.set(partition, nextOffset);
  }
  return seen;
}

/** Reads until `enough` says so, or to the series' end. */
export async function readRecords(
  log: RecordLog,
  options: Omit<ReadOptions, "signal"> & { readonly signal?: AbortSignal },
  enough: (seen: readonly RecordSeen[]) => boolean = () => false,
): Promise<RecordSeen[]> {
  const wanted = new Map(options.from);
  const signal = options.signal ?? AbortSignal.timeout(20_000);
  const seen: RecordSeen[] = [];
  for await (const fetch of log.read({ ...options, signal })) {
    expect(fetch.topic).toBe(options.topic);
    seen.push(...recordsOf(fetch, wanted));
    if (enough(seen)) break;
  }
  return seen;
}
