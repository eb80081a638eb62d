import { partitionOf } from "../partitioner.ts";
import type {
  AnyProjection,
  ErasedChangeProjection,
  ErasedEventProjection,
} from "../projection.ts";

/** The same projection, to which only one row's records are of any concern. */
export function narrowedTo(projection: AnyProjection, key: string): AnyProjection {
  return projection.kind === "events" ? ofEvents(projection, key) : ofChanges(projection, key);
}

function ofEvents(projection: ErasedEventProjection, wanted: string): ErasedEventProjection {
  const { key } = projection;
  const keyOf = (event: never): string | undefined => {
    const found = typeof key === "string" ? (event as Record<string, string>)[key] : key(event);
    // What is no text is an error for the fold to meet, as it would be in live work.
    return typeof found === "string" && found !== wanted ? undefined : found;
  };
  return { ...projection, key: keyOf };
}

function ofChanges(projection: ErasedChangeProjection, wanted: string): ErasedChangeProjection {
  const { key } = projection;
  const keyOf = (row: never): string | undefined => {
    const found = key(row);
    return found === wanted ? found : undefined;
  };
  return { ...projection, key: keyOf };
}

/**
 * The partition that a row's records are in, where its key is the record's key in every topic that
 * the projection reads; undefined where the key alone doesn't tell.
 */
export function partitionOfRow(projection: AnyProjection, key: string): number | undefined {
  if (projection.kind === "changes" || typeof projection.key !== "string") return undefined;
  const { from, key: field } = projection;
  const partitions = from[0]?.partitions;
  if (partitions === undefined || from.some((topic) => topic.key !== field)) return undefined;
  return partitionOf(key, partitions);
}
