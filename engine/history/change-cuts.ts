import { RecordError } from "../errors.ts";
import { type ChangeReader, frameBytes, framedSchemaId } from "../ports/codec.ts";
import { offset, type Offset } from "../position.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import type { ChangeTopic } from "../topic.ts";
import type { HistorySource } from "./source.ts";

export interface ChangeCuts {
  /** By partition: the first change committed after the time, or the end. */
  readonly cuts: ReadonlyMap<number, Offset>;
  /** Some partition has a change that was committed after the time. */
  readonly isPassed: boolean;
}

/**
 * Where a table's changes were at a time, by their commit times: those stand in the values alone,
 * because a log's own timestamp may tell when a record was published. A time that goes back (the
 * database's clock was set) counts as the latest before it.
 */
export async function changeCuts(
  { log, codec }: Pick<HistorySource, "log" | "codec">,
  topic: ChangeTopic,
  atMs: number,
): Promise<ChangeCuts> {
  const cuts = new Map<number, Offset>();
  const from = new Map<number, Offset>();
  for (const { partition, start, end } of await log.bounds(topic.name)) {
    cuts.set(partition, end);
    if (start < end) from.set(partition, start);
  }
  if (from.size === 0) return { cuts, isPassed: false };
  const reader = codec.changes(topic);
  const passed = new Set<number>();
  const ending = new AbortController();
  const { signal } = ending;
  const read = { topic: topic.name, from, until: "end", signal } as const;
  try {
    for await (const fetch of log.read(read)) {
      for (const { partition, bytes } of fetch.partitions) {
        if (passed.has(partition)) continue;
        const found = await firstAfter(reader, { bytes, atMs, from: from.get(partition) ?? 0n });
        if (found === undefined) continue;
        passed.add(partition);
        cuts.set(partition, offset(found));
      }
      if (passed.size === from.size) break;
    }
  } finally {
    ending.abort();
  }
  return { cuts, isPassed: passed.size > 0 };
}

/** Offset of the first change whose commit time is later; undefined: none in these bytes is. */
async function firstAfter(
  reader: ChangeReader,
  { bytes, atMs, from }: { bytes: Buffer; atMs: number; from: bigint },
): Promise<number | undefined> {
  const cursor = new RecordCursor();
  cursor.reset(bytes, from);
  while (cursor.next()) {
    const committedAtMs = await commitTimeOf(reader, cursor);
    if (committedAtMs !== undefined && committedAtMs > atMs) return cursor.offset;
  }
  return undefined;
}

/** undefined of tombstones, which belong to the delete before them, and of what nobody can read. */
async function commitTimeOf(
  reader: ChangeReader,
  { bytes, valueStart, valueEnd }: RecordCursor,
): Promise<number | undefined> {
  const id = valueStart < 0 ? undefined : framedSchemaId(bytes, valueStart, valueEnd);
  if (id === undefined) return undefined;
  try {
    const decoder = reader.known(id) ?? (await reader.learn(id));
    return decoder.decode(bytes, valueStart + frameBytes, valueEnd).sourceTimestampMs;
  } catch (error) {
    // The fold meets it, or passes it over.
    if (error instanceof RecordError) return undefined;
    throw error;
  }
}
