import { partitionOf } from "../partitioner.ts";
import type {
  AnyProjection,
  ErasedChangeProjection,
  ErasedEventProjection,
} from "../projection.ts";
import { topicsOf } from "../task/pipeline.ts";

type KeyTest = (key: string) => boolean;

/** The same projection, to which only the records of some rows are of any concern. */
export const narrowedTo = (projection: AnyProjection, isWanted: KeyTest): AnyProjection =>
  projection.kind === "events" ? ofEvents(projection, isWanted) : ofChanges(projection, isWanted);

function ofEvents(projection: ErasedEventProjection, isWanted: KeyTest): ErasedEventProjection {
  const { key } = projection;
  const keyOf = (event: never): string | undefined => {
    const found = typeof key === "string" ? (event as Record<string, string>)[key] : key(event);
    // What is no text is an error for the fold to meet, as it would be in live work.
    return typeof found === "string" && !isWanted(found) ? undefined : found;
  };
  return { ...projection, key: keyOf };
}

function ofChanges(projection: ErasedChangeProjection, isWanted: KeyTest): ErasedChangeProjection {
  const { key } = projection;
  const keyOf = (row: never): string | undefined => {
    const found = key(row);
    return found !== undefined && isWanted(found) ? found : undefined;
  };
  return { ...projection, key: keyOf };
}

/**
 * The partition that a row's records are in, where its key is theirs; undefined where the key alone
 * doesn't tell.
 */
export function partitionOfRow(projection: AnyProjection, key: string): number | undefined {
  const partitions = topicsOf(projection)[0]?.partitions;
  return hasRecordKeys(projection) && partitions !== undefined
    ? partitionOf(key, partitions)
    : undefined;
}

/** The key of a row's records, where it is the row's; undefined where only their values tell. */
export const recordKeyOfRow = (projection: AnyProjection, key: string): Uint8Array | undefined =>
  hasRecordKeys(projection) ? Buffer.from(key, "utf8") : undefined;

/** Is a row's key the record's key in every topic that the projection reads? */
const hasRecordKeys = (projection: AnyProjection): boolean =>
  projection.kind === "events" && projection.from.every(({ key }) => key === projection.key);
