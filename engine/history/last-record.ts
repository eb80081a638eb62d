import { header } from "../envelope.ts";
import type { RecordLog } from "../ports/record-log.ts";
import { offset } from "../position.ts";
import { RecordCursor } from "../record-batch/cursor.ts";

/** Ends of a partition may be gaps (compaction, control records): then it looks further back. */
const windows = [1, 100, 10_000, Number.POSITIVE_INFINITY] as const;

/** Sequence of the last record of a partition; 0 where it has no record with one. */
export async function lastSequence(
  log: Pick<RecordLog, "read">,
  at: { readonly topic: string; readonly partition: number },
  bounds: { readonly start: bigint; readonly end: bigint },
): Promise<number> {
  const [start, end] = [Number(bounds.start), Number(bounds.end)];
  for (const window of windows) {
    const from = Math.max(start, end - window);
    if (from >= end) return 0;
    const found = await lastIn(log, at, { from, end });
    if (found > 0 || from === start) return found;
  }
  return 0;
}

async function lastIn(
  log: Pick<RecordLog, "read">,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  { from, end }: { readonly from: number; readonly end: number },
): Promise<number> {
  const ending = new AbortController();
  const { signal } = ending;
  const cursor = new RecordCursor();
  let last = 0;
  try {
    const starts = new Map([[partition, offset(from)]]);
    for await (const fetch of log.read({ topic, from: starts, until: "end", signal })) {
      for (const { bytes, nextOffset } of fetch.partitions) {
        cursor.reset(bytes, from);
        while (cursor.next()) {
          const found = cursor.headerNumber(header.sequence);
          if (found > last) last = found;
        }
        if (nextOffset >= end) return last;
      }
    }
  } finally {
    ending.abort();
  }
  return last;
}
