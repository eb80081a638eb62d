import { header } from "../../../engine/envelope.ts";
import { offset } from "../../../engine/position.ts";
import type { RecordLog } from "../../../engine/ports/record-log.ts";
import { RecordCursor } from "../../../engine/record-batch/index.ts";

/** A lane in the log, from a sequence on. */
export interface LanePlace {
  readonly log: RecordLog;
  readonly topic: string;
  readonly partition: number;
  readonly sequence: number;
}

/**
 * The first offset whose record has the place's sequence or a later one, among those recorded at a
 * time or later; undefined where the log ends before it.
 */
export async function firstFrom(place: LanePlace, sinceMs: number): Promise<number | undefined> {
  const starts = await place.log.offsetsAt(place.topic, sinceMs);
  const start = Number(starts.get(place.partition) ?? 0n);
  for await (const cursor of records(place, start)) {
    if (cursor.headerNumber(header.sequence) >= place.sequence) return cursor.offset;
  }
  return undefined;
}

/** Whether a reader that begins at `start` gets every sequence from the place's to `last` in order. */
export async function readsWhole(
  place: LanePlace,
  { start, last }: { readonly start: number; readonly last: number },
): Promise<boolean> {
  let expected = place.sequence;
  for await (const cursor of records(place, start)) {
    const sequence = cursor.headerNumber(header.sequence);
    if (sequence > expected) return false;
    if (sequence === expected) expected += 1;
  }
  return expected > last;
}

/** One cursor, at each record in turn, to the end as it is now. */
async function* records(
  { log, topic, partition }: LanePlace,
  start: number,
): AsyncGenerator<RecordCursor, void> {
  const cursor = new RecordCursor();
  const from = new Map([[partition, offset(start)]]);
  const { signal } = new AbortController();
  let next = start;
  for await (const fetch of log.read({ topic, from, until: "end", signal })) {
    for (const { bytes, nextOffset } of fetch.partitions) {
      cursor.reset(bytes, next);
      while (cursor.next()) yield cursor;
      next = Number(nextOffset);
    }
  }
}
