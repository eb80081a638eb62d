import { header } from "../envelope.ts";
import { lsn, offset, type Position, sequence, type SourcePosition } from "../position.ts";
import type { ReadPosition } from "../ports/read-model-reader.ts";
import type { PlannedPartition } from "../ports/rebuilds.ts";
import type { RecordLog } from "../ports/record-log.ts";
import type { AnyProjection } from "../projection.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import { placeOf } from "../replay/cuts.ts";

export interface ColdPositionsOptions {
  readonly projection: AnyProjection;
  readonly partitions: readonly Pick<PlannedPartition, "topic" | "partition" | "from" | "start">[];
  /** Where what serves stands. */
  readonly live: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly position: Position | undefined;
  }[];
  readonly log: Pick<RecordLog, "topics" | "read">;
}

/**
 * Positions of a reader that begins in the middle of the log: offsets, with the source coordinates
 * of the first record there, so that duplicates and holes are seen from the first one on.
 */
export async function coldPositions(options: ColdPositionsOptions): Promise<ReadPosition[]> {
  const { partitions, live, log, projection } = options;
  const topics = await log.topics();
  const positions: ReadPosition[] = [];
  for (const of of partitions) {
    const { topic, partition } = of;
    const there = live.find((one) => placeOf(one) === placeOf(of))?.position;
    const isThere = there?.nextOffset === of.from;
    // At the log's own start nothing needs to be told, unless what serves stands there, too: behind
    // records that are all gone a shadow would never move, and never be level with it.
    if (of.from === of.start && !isThere) continue;
    const logId = topics.find(({ name }) => name === topic)?.id ?? "";
    const position = isThere
      ? there
      : { logId, nextOffset: offset(of.from), source: await sourceAt(log, of, projection) };
    positions.push({ topic, partition, position, lastRecordedAtMs: undefined });
  }
  return positions;
}

async function sourceAt(
  log: Pick<RecordLog, "read">,
  { topic, partition, from }: ColdPositionsOptions["partitions"][number],
  projection: AnyProjection,
): Promise<SourcePosition> {
  // Every change is newer than this one.
  if (projection.kind === "changes") return { kind: "change", commitLsn: lsn(0), order: 0 };
  const ending = new AbortController();
  const cursor = new RecordCursor();
  const options = { topic, from: new Map([[partition, offset(from)]]), until: "end" } as const;
  for await (const fetch of log.read({ ...options, fetchBytesMax: 1, signal: ending.signal })) {
    const bytes = fetch.partitions[0]?.bytes;
    if (bytes === undefined) continue;
    cursor.reset(bytes, Number(from));
    if (!cursor.next()) continue;
    ending.abort();
    const next = cursor.headerNumber(header.sequence);
    const incarnation = cursor.headerText(header.incarnation);
    if (!(next >= 1) || incarnation === undefined) return { kind: "offset" };
    return { kind: "lane", incarnation, nextSequence: sequence(next) };
  }
  return { kind: "offset" };
}
