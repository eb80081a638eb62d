import { header } from "../envelope.ts";
import { classify, reasonOf } from "../error-policy.ts";
import { MemoryReadModelStore } from "../memory/read-model-store.ts";
import { offset, type Offset } from "../position.ts";
import type { Clock, Random } from "../ports/clock.ts";
import { type EventCodec, framedSchemaId } from "../ports/codec.ts";
import type { RecordLog } from "../ports/record-log.ts";
import type { AnyProjection } from "../projection.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import { type Cuts, placeOf } from "../replay/cuts.ts";
import { Replay } from "../replay/replay.ts";
import { readModelOf } from "../task/projection-store.ts";
import type { LogPlace } from "./plan-start.ts";

export interface SampleOptions {
  readonly projection: AnyProjection;
  readonly places: readonly LogPlace[];
  readonly log: Pick<RecordLog, "topics" | "bounds" | "read">;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly random: Random;
  /** Records of each topic. */
  readonly recordsMax: number;
  readonly bytesMax: number;
  /** The measured fold ends after so long. */
  readonly timeMs: number;
}

export interface Sample {
  /** Mean bytes of a record in the log, by topic. */
  readonly recordBytes: ReadonlyMap<string, number>;
  readonly schemas: readonly string[];
  /** Folded in memory; undefined: nothing could be. */
  readonly recordsPerSecond: number | undefined;
  readonly warnings: readonly string[];
}

interface Seen {
  records: number;
  bytes: number;
  offsets: number;
}

/** Reads the first records that a rebuild would read, and folds some in memory, to estimate it. */
export async function sample(options: SampleOptions, from: Cuts): Promise<Sample> {
  const schemas = new Set<string>();
  const recordBytes = new Map<string, number>();
  const warnings: string[] = [];
  for (const topic of new Set(options.places.map((place) => place.topic))) {
    const seen = await sampleTopic(options, topic, { from, schemas });
    if (seen.records === 0) continue;
    recordBytes.set(topic, seen.bytes / seen.records);
    if (seen.records >= seen.offsets) continue;
    const lacking = Math.round(100 * (1 - seen.records / seen.offsets));
    warnings.push(`${topic}: ${lacking}% of the sampled offsets hold no record (compaction).`);
  }
  const folded = await foldedPerSecond(options);
  if (typeof folded === "string") warnings.push(folded);
  const recordsPerSecond = typeof folded === "number" ? folded : undefined;
  return { recordBytes, schemas: [...schemas].sort(), recordsPerSecond, warnings };
}

async function sampleTopic(
  { places, log, recordsMax, bytesMax }: SampleOptions,
  topic: string,
  { from, schemas }: { readonly from: Cuts; readonly schemas: Set<string> },
): Promise<Seen> {
  const starts = new Map<number, Offset>();
  for (const place of places) {
    const at = from.get(placeOf(place)) ?? place.start;
    if (place.topic === topic && at < place.end) starts.set(place.partition, at);
  }
  const seen: Seen = { records: 0, bytes: 0, offsets: 0 };
  if (starts.size === 0) return seen;
  const ending = new AbortController();
  const options = { topic, from: starts, until: "end", fetchBytesMax: bytesMax / 4 } as const;
  const next = new Map(starts);
  for await (const fetch of log.read({ ...options, signal: ending.signal })) {
    for (const { partition, bytes, nextOffset } of fetch.partitions) {
      const at = next.get(partition) ?? offset(0);
      seen.offsets += Number(nextOffset - at);
      seen.bytes += bytes.length;
      seen.records += recordsIn(bytes, at, schemas);
      next.set(partition, nextOffset);
    }
    if (seen.records >= recordsMax || seen.bytes >= bytesMax) break;
  }
  ending.abort();
  return seen;
}

/** Counts, and notes which schemas the records were written with. */
function recordsIn(bytes: Buffer, from: Offset, schemas: Set<string>): number {
  const cursor = new RecordCursor();
  cursor.reset(bytes, Number(from));
  const known = new Set<number>();
  let records = 0;
  while (cursor.next()) {
    records += 1;
    const { valueStart, valueEnd } = cursor;
    const id = valueStart < 0 ? undefined : framedSchemaId(cursor.bytes, valueStart, valueEnd);
    if (id === undefined || known.has(id)) continue;
    known.add(id);
    schemas.add(`${cursor.headerText(header.type) ?? "row change"} ${id}`);
  }
  return records;
}

/** Records a second; text: why that couldn't be measured. */
async function foldedPerSecond(options: SampleOptions): Promise<number | string | undefined> {
  const { projection, places, log, codec, clock, random, recordsMax, timeMs } = options;
  const store = new MemoryReadModelStore();
  const generation = await store.open(readModelOf(projection));
  const cuts: Cuts = new Map(
    places.map(({ topic, partition, start, end }) => {
      const enough = start + BigInt(Math.ceil(recordsMax / places.length));
      return [placeOf({ topic, partition }), offset(enough < end ? enough : end)];
    }),
  );
  const ending = new AbortController();
  const shared = { projection, generation, store, log, codec, clock, random };
  try {
    await using replay = await Replay.begin({ ...shared, consumer: `${projection.name}~plan` });
    const fromMs = clock.monotonicMs();
    const pace = async (): Promise<void> => {
      if (clock.monotonicMs() - fromMs > timeMs) ending.abort();
    };
    await replay.to(cuts, { signal: ending.signal, pace });
    const elapsedMs = Math.max(1, clock.monotonicMs() - fromMs);
    return replay.records === 0 ? undefined : Math.round((replay.records * 1_000) / elapsedMs);
  } catch (error) {
    if (classify(error) === "rethrow" || classify(error) === "retry") throw error;
    return `The sample can't be folded, and the rebuild will stop there: ${reasonOf(error)}`;
  }
}
