import type { BucketDigest } from "./digest.ts";
import { byPlace, type Place } from "./fencing.ts";
import type { SwapCondition, SwapVerdict } from "./ports/generations.ts";
import type { Position } from "./position.ts";

/** What a swap looks at of a generation, under the locks of its positions. */
export interface SwapSide {
  readonly standing: readonly (Place & { readonly position: Position | undefined })[];
  readonly digests: ReadonlyMap<number, BucketDigest>;
}

type Refusal = Extract<SwapVerdict, { readonly outcome: "apart" | "differs" }>;

/**
 * Why the condition doesn't hold; undefined: it does.
 *
 * Places are compared by the log's own numbering: what was applied is what lies before an offset.
 * Versions may read other topics than the one before; `level` and `reached` look at those that
 * both read.
 */
export function swapRefusal(
  condition: SwapCondition,
  from: SwapSide,
  to: SwapSide,
): Refusal | undefined {
  const apart = placesOf(condition, from, to)
    .filter(({ was, is }) => (condition === "reached" ? !hasReached(was, is) : !isLevel(was, is)))
    .map(({ place: { topic, partition } }) => `${topic}/${partition}`);
  if (apart.length > 0) return { outcome: "apart", partitions: apart };
  if (condition !== "equal") return undefined;
  const buckets = differingBuckets(from.digests, to.digests);
  return buckets.length > 0 ? { outcome: "differs", buckets } : undefined;
}

/** Buckets whose digests aren't the same, in order. */
export function differingBuckets(
  one: ReadonlyMap<number, BucketDigest>,
  other: ReadonlyMap<number, BucketDigest>,
): number[] {
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((bucket) => {
      const [a, b] = [one.get(bucket) ?? noRows, other.get(bucket) ?? noRows];
      return a.hash !== b.hash || a.rows !== b.rows;
    })
    .sort((a, b) => a - b);
}

const noRows: BucketDigest = { hash: 0n, rows: 0 };

interface Compared {
  readonly place: Place;
  readonly was: Position | undefined;
  readonly is: Position | undefined;
}

function placesOf(condition: SwapCondition, from: SwapSide, to: SwapSide): Compared[] {
  const both = [from, to].map(({ standing }) => new Set(standing.map(({ topic }) => topic)));
  const places = new Map<string, Compared>();
  for (const { topic, partition, position } of from.standing) {
    places.set(`${topic}/${partition}`, {
      place: { topic, partition },
      was: position,
      is: undefined,
    });
  }
  for (const { topic, partition, position } of to.standing) {
    const was = places.get(`${topic}/${partition}`)?.was;
    places.set(`${topic}/${partition}`, { place: { topic, partition }, was, is: position });
  }
  return [...places.values()]
    .filter(({ place }) => condition === "equal" || both.every((one) => one.has(place.topic)))
    .sort((a, b) => byPlace(a.place, b.place));
}

function isLevel(was: Position | undefined, is: Position | undefined): boolean {
  if (was === undefined || is === undefined) return was === is;
  return was.logId === is.logId && was.nextOffset === is.nextOffset;
}

function hasReached(was: Position | undefined, is: Position | undefined): boolean {
  if (was === undefined) return true;
  return is !== undefined && was.logId === is.logId && is.nextOffset >= was.nextOffset;
}
