import type { AnyRow } from "../../../engine/columns.ts";
import type { Place } from "../../../engine/fencing.ts";
import type {
  Generation,
  OwnedPartition,
  ReadModel,
  ReadModelFlush,
  ReadModelStore,
} from "../../../engine/ports/read-model-store.ts";
import type { FollowedState } from "./followed-partition.ts";
import { type FollowerOptions, GenerationFollower } from "./generation-follower.ts";

export interface FollowedReadModelStoreOptions extends FollowerOptions {
  /** The store that decides: what it has committed is what Redis gets. */
  readonly primary: ReadModelStore;
  /** Of the projections that Redis has, too. */
  readonly models: readonly ReadModel[];
  /**
   * When a generation is followed: from its first claim on, or once `follow` is called for it
   * (default `at-claim`). One that is filled fast is brought to Redis in one piece when it is done.
   */
  readonly follows?: "at-claim" | "when-asked";
}

/** How Redis is brought what one partition that is owned here has committed. */
export interface FollowedPartitionHealth {
  readonly projection: string;
  readonly generation: number;
  readonly partition: number;
  readonly state: FollowedState;
  /** Rows committed that wait to be written. */
  readonly rowsWaiting: number;
  /** Why the projection isn't followed now. */
  readonly reason: string | undefined;
}

/**
 * A read-model store that Redis follows: everything is the primary's, and what it has committed is
 * brought to Redis afterwards, without waiting. A partition that it claims is compared with Redis,
 * and filled from a snapshot where the two differ.
 */
export class FollowedReadModelStore implements ReadModelStore, AsyncDisposable {
  readonly #options: FollowedReadModelStoreOptions;
  readonly #followers = new Map<string, GenerationFollower>();
  readonly #models: ReadonlyMap<string, ReadModel>;
  /** Claims of generations that aren't followed yet. */
  readonly #claims = new Map<string, OwnedPartition[]>();

  constructor(options: FollowedReadModelStoreOptions) {
    this.#options = options;
    this.#models = new Map(options.models.map((model) => [model.projection, model]));
  }

  async open(model: ReadModel): Promise<Generation> {
    const generation = await this.#options.primary.open(model);
    if (this.#followsAtClaim) this.follow(generation);
    return generation;
  }

  /** Brings it to Redis from now on; what was claimed of it is filled as it stands. */
  follow(generation: Generation): void {
    const { projection, version } = generation;
    const model = this.#models.get(projection);
    const name = nameOf(generation);
    // Rows of another version have columns that nobody here knows.
    if (model?.version !== version || this.#followers.has(name)) return;
    // Another process fills it, and brings it there.
    if (!this.#followsAtClaim && !this.#claims.has(name)) return;
    const { store } = this.#options;
    store.adopt(generation, model);
    const follower = new GenerationFollower(store.known(generation), this.#options);
    this.#followers.set(name, follower);
    follower.claimed(this.#claims.get(name) ?? []);
    this.#claims.delete(name);
  }

  /** Ends following a generation that is being removed: nothing more of it is written. */
  async forget(generation: Pick<Generation, "projection" | "generation">): Promise<void> {
    const name = nameOf(generation);
    const follower = this.#followers.get(name);
    this.#claims.delete(name);
    this.#followers.delete(name);
    await follower?.abandon();
  }

  /** Generations that are followed now. */
  get followed(): readonly Generation[] {
    return [...this.#followers.values()].map(({ known }) => known.generation);
  }

  async claim(
    generation: Generation,
    partitions: readonly Place[],
  ): Promise<readonly OwnedPartition[]> {
    const owned = await this.#options.primary.claim(generation, partitions);
    if (this.#followsAtClaim) this.follow(generation);
    const name = nameOf(generation);
    const follower = this.#followers.get(name);
    if (follower) follower.claimed(owned);
    else if (this.#models.has(generation.projection)) {
      this.#claims.set(name, claimsAfter(this.#claims.get(name) ?? [], owned));
    }
    return owned;
  }

  load(generation: Generation, keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>> {
    return this.#options.primary.load(generation, keys);
  }

  async flush(flush: ReadModelFlush): Promise<void> {
    await this.#options.primary.flush(flush);
    this.#followers.get(nameOf(flush.generation))?.committed(flush);
  }

  positions(generation: Generation): Promise<readonly Omit<OwnedPartition, "epoch">[]> {
    return this.#options.primary.positions(generation);
  }

  digests(generation: Generation): Promise<ReadonlyMap<number, { hash: bigint; rows: number }>> {
    return this.#options.primary.digests(generation);
  }

  scan(generation: Generation): AsyncIterable<readonly { key: string; row: AnyRow }[]> {
    return this.#options.primary.scan(generation);
  }

  health(): readonly FollowedPartitionHealth[] {
    return [...this.#followers.values()].flatMap(({ known, partitions, reason }) =>
      partitions.map(({ partition, state, rowsWaiting }) => {
        const { projection, generation } = known.generation;
        return { projection, generation, partition, state, rowsWaiting, reason };
      }),
    );
  }

  /** Brings Redis what waits, and ends following. The primary isn't closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#followers.values()].map((follower) => follower.stop()));
  }

  get #followsAtClaim(): boolean {
    return this.#options.follows !== "when-asked";
  }
}

const nameOf = ({ projection, generation }: Pick<Generation, "projection" | "generation">) =>
  `${projection} ${generation}`;

/** The last claim of each partition counts. */
function claimsAfter(
  before: readonly OwnedPartition[],
  claimed: readonly OwnedPartition[],
): OwnedPartition[] {
  const kept = before.filter(({ topic, partition }) =>
    claimed.every((one) => one.topic !== topic || one.partition !== partition),
  );
  return [...kept, ...claimed];
}
