/**
 * Which partitions this process should work on. It only spreads work: what makes two owners
 * harmless is the epoch in the stores (`claim`).
 */
export interface Assignment {
  /**
   * Joins the group of a consumer. Each change of ownership comes as the whole new set; the first
   * comes soon (an empty set when others hold everything).
   */
  join(consumer: string, partitions: number): Promise<Membership>;
}

export interface Membership extends AsyncDisposable {
  /** Ends when the membership is disposed of. */
  readonly changes: AsyncIterable<ReadonlySet<number>>;
  /**
   * Says that a partition that the last change took away is drained: only then, or when the lease
   * runs out, may another process take it.
   */
  release(partitions: Iterable<number>): Promise<void>;
  /**
   * Says that a store has fenced this process out of partitions that it has here. Nothing is let
   * go: a change comes soon, as if they had been lost meanwhile, with those that are still (or
   * again) this process's, which it then claims anew.
   */
  fencedOut(partitions: Iterable<number>): void;
}
