/** What a limit on requests under way is held to. */
export interface ConcurrencyBounds {
  /** Milliseconds that a request may wait for its answer on average when there are too many. */
  readonly waitMs: number;
  /** The limit is never below: so many may be under way however long they wait. */
  readonly atLeast: number;
  readonly atMost: number;
}

/** What is known of requests under way, and how many of them there may be. */
export interface Pace {
  /** Requests that may be under way at once; a fraction counts when it has become a whole. */
  readonly limit: number;
  /** Means over about as many answers as the limit: how many were under way, how long they waited. */
  readonly underWay: number;
  readonly waitMs: number;
}

/** One request that was answered. */
export interface Experience {
  /**
   * How many were under way when it was admitted or when it was answered, itself included: the more
   * of the two. Where answers come in rounds, either alone misses those of the other round.
   */
  readonly underWay: number;
  /** From its arrival to its answer. */
  readonly waitMs: number;
}

/** Before anything is known: `limit` is a guess that is put right within a few waits. */
export const paceAt = (limit: number): Pace => ({ limit, underWay: 0, waitMs: 0 });

/**
 * Requests answered in a millisecond, by Little's law: as many as were under way, divided by how
 * long they waited. 0 while nothing is known.
 */
export const ratePerMs = ({ underWay, waitMs }: Pace): number =>
  waitMs > 0 ? underWay / waitMs : 0;

/**
 * How many may be under way after one more answer, so that they wait for `waitMs` on average.
 *
 * A request that met n under way and waited for w has seen a server that answers n / w; at that
 * rate `waitMs` is the wait behind n * waitMs / w requests. Both sides of that quotient belong to
 * the same requests, so that an answer which comes late tells nothing wrong of what happened since:
 * there is no integral that could wind up, and nothing to oscillate. A step of one for each answer
 * bounds it further: in one wait the limit at most doubles. (It is a relative of the gradients of
 * TCP Vegas, and of the limits of requests that were made after it, with a wait to hold instead of
 * one to undercut.)
 *
 * Requests that met less than half of the limit leave it: how fast they were says nothing of what
 * the server could do, and how slow they were is the doing of others.
 */
export function learnt(pace: Pace, seen: Experience, bounds: ConcurrencyBounds): Pace {
  const { limit } = pace;
  if (seen.underWay * 2 < limit) return pace;
  const weight = pace.waitMs === 0 ? 1 : 1 / Math.max(limit, bounds.atLeast);
  const underWay = pace.underWay + weight * (seen.underWay - pace.underWay);
  const waitMs = Math.max(1e-3, pace.waitMs + weight * (seen.waitMs - pace.waitMs));
  const wanted = (bounds.waitMs * underWay) / waitMs;
  const step = Math.min(1, Math.max(-1, wanted - limit));
  const next = Math.min(bounds.atMost, Math.max(bounds.atLeast, limit + step));
  return { limit: next, underWay, waitMs };
}
