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
  /** Projections that Redis has, too. */
  readonly projections: ReadonlySet<string>;
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

  constructor(options: FollowedReadModelStoreOptions) {
    this.#options = options;
  }

  async open(model: ReadModel): Promise<Generation> {
    const { primary, projections, store } = this.#options;
    const generation = await primary.open(model);
    if (!projections.has(model.projection)) return generation;
    store.adopt(generation, model);
    const name = nameOf(generation);
    if (!this.#followers.has(name)) {
      this.#followers.set(name, new GenerationFollower(store.known(generation), this.#options));
    }
    return generation;
  }

  async claim(
    generation: Generation,
    partitions: readonly Place[],
  ): Promise<readonly OwnedPartition[]> {
    const owned = await this.#options.primary.claim(generation, partitions);
    this.#followers.get(nameOf(generation))?.claimed(owned);
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
}

const nameOf = ({ projection, generation }: Generation): string => `${projection} ${generation}`;
