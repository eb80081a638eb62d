import { header } from "../../../engine/envelope.ts";
import { offset } from "../../../engine/position.ts";
import type { LoggedLaneEnd } from "../../../engine/ports/capture-sink.ts";
import type { PartitionBounds, RecordLog } from "../../../engine/ports/record-log.ts";
import { RecordCursor } from "../../../engine/record-batch/index.ts";

/** How many times further back each look begins than the one before. */
const furtherBack = 100n;

/**
 * The last record of each of the topic's partitions that has one. The last offsets may hold none
 * (a reader skips them): then it looks further back.
 */
export async function laneEndsOf(
  log: Pick<RecordLog, "bounds" | "read">,
  topic: string,
): Promise<readonly LoggedLaneEnd[]> {
  const found = new Map<number, LoggedLaneEnd>();
  let left = (await log.bounds(topic)).filter(({ start, end }) => start < end);
  for (let back = 1n; left.length > 0; back *= furtherBack) {
    await readLast(log, { topic, from: startsOf(left, back) }, found);
    left = left.filter(
      ({ partition, start, end }) => !found.has(partition) && BigInt(end) - back > BigInt(start),
    );
  }
  return [...found.values()].sort((one, other) => one.partition - other.partition);
}

function startsOf(partitions: readonly PartitionBounds[], back: bigint) {
  return new Map(
    partitions.map(({ partition, start, end }) => {
      const from = BigInt(end) - back;
      return [partition, from > BigInt(start) ? offset(from) : start] as const;
    }),
  );
}

async function readLast(
  log: Pick<RecordLog, "read">,
  { topic, from }: { readonly topic: string; readonly from: ReturnType<typeof startsOf> },
  found: Map<number, LoggedLaneEnd>,
): Promise<void> {
  const cursor = new RecordCursor();
  const next = new Map(from);
  const { signal } = new AbortController();
  for await (const fetch of log.read({ topic, from, until: "end", signal })) {
    for (const { partition, bytes, nextOffset } of fetch.partitions) {
      cursor.reset(bytes, next.get(partition) ?? 0n);
      while (cursor.next()) {
        const sequence = cursor.headerNumber(header.sequence);
        found.set(partition, { partition, sequence, eventId: cursor.headerText(header.id) });
      }
      next.set(partition, nextOffset);
    }
  }
}
