import type { BucketDigest } from "../../engine/digest.ts";
import { RefoldError } from "../../engine/errors.ts";
import type { ReadPosition } from "../../engine/ports/read-model-reader.ts";
import type { Generation, ReadModel } from "../../engine/ports/read-model-store.ts";
import type { Columns } from "../../engine/columns.ts";
import type { SecondStore, SecondStoreVerdict } from "../../engine/ports/second-store.ts";
import type { RedisConnection } from "./connection.ts";
import { RedisReadModelReader } from "./read-model-reader.ts";
import type { RedisReadModelStore } from "./read-model-store.ts";
import { recountRedis } from "./recount.ts";
import { heldPositions, reaches } from "./standing.ts";

type Named = Pick<Generation, "projection" | "generation">;

export interface RedisSecondStoreOptions {
  readonly redis: RedisConnection;
  readonly store: Pick<RedisReadModelStore, "adopt" | "known" | "digests">;
  /** Of the projections that Redis has. */
  readonly models: readonly ReadModel[];
  /** Begins to bring a generation to Redis that is filled here. */
  readonly follow: (generation: Generation) => void;
}

/** Redis, for the proof of a rebuild: what it holds of a generation, beside what was committed. */
export class RedisSecondStore implements SecondStore {
  readonly #options: RedisSecondStoreOptions;

  constructor(options: RedisSecondStoreOptions) {
    this.#options = options;
  }

  async compare(
    of: Named,
    digests: ReadonlyMap<number, BucketDigest>,
    positions: readonly ReadPosition[],
  ): Promise<SecondStoreVerdict> {
    const { models, store, follow } = this.#options;
    const model = models.find(({ projection }) => projection === of.projection);
    if (model === undefined) return "none";
    const generation = { ...of, version: model.version, serving: false };
    follow(generation);
    store.adopt(generation, model);
    const held = await this.#digestsAt(generation, positions);
    return held === undefined ? "behind" : sameDigests(held, digests);
  }

  async recount(generation: Named & { readonly columns: Columns }): Promise<SecondStoreVerdict> {
    const { models, redis } = this.#options;
    const model = models.find(({ projection }) => projection === generation.projection);
    if (model === undefined) return "none";
    const partitions = Math.max(...model.topics.map((topic) => topic.partitions));
    const { columns } = generation;
    return unlessAway(() => recountRedis({ redis, generation, columns, partitions }));
  }

  /** Its digests, where it stands exactly there before and after they are read; else undefined. */
  async #digestsAt(
    generation: Generation,
    positions: readonly ReadPosition[],
  ): Promise<ReadonlyMap<number, BucketDigest> | undefined> {
    const reader = new RedisReadModelReader({
      ...this.#options,
      serving: () => Promise.resolve(generation),
    });
    try {
      const before = await heldPositions(reader, generation.projection);
      if (before.cold.length > 0 || !reaches(before.positions, positions)) return undefined;
      const digests = await this.#options.store.digests(generation);
      const after = await heldPositions(reader, generation.projection);
      return reaches(positions, after.positions) ? digests : undefined;
    } catch (error) {
      // Redis can't be asked now, or has nothing of it.
      if (error instanceof RefoldError) return undefined;
      throw error;
    }
  }
}

async function unlessAway(ask: () => Promise<SecondStoreVerdict>): Promise<SecondStoreVerdict> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof RefoldError) return "behind";
    throw error;
  }
}

function sameDigests(
  held: ReadonlyMap<number, BucketDigest>,
  wanted: ReadonlyMap<number, BucketDigest>,
): "equal" | "differs" {
  const ones = filled(held);
  const others = filled(wanted);
  const same =
    ones.size === others.size &&
    [...ones].every(([bucket, { hash, rows }]) => {
      const other = others.get(bucket);
      return other?.hash === hash && other.rows === rows;
    });
  return same ? "equal" : "differs";
}

/** A bucket without rows is kept by one and not by the other. */
const filled = (digests: ReadonlyMap<number, BucketDigest>): ReadonlyMap<number, BucketDigest> =>
  new Map([...digests].filter(([, { rows }]) => rows > 0));
