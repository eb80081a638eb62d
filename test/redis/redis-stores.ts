import { RedisConnection } from "../../connectors/redis/connection.ts";
import { PartitionFill } from "../../connectors/redis/partition-fill.ts";
import { RedisReadModelReader } from "../../connectors/redis/read-model-reader.ts";
import { RedisReadModelStore } from "../../connectors/redis/read-model-store.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryGenerations } from "../../engine/memory/generations.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import type { Generations, Swap, SwapVerdict } from "../../engine/ports/generations.ts";
import type { Generation, ReadModel } from "../../engine/ports/read-model-store.ts";
import type { ReadModelSubject } from "../conformance/read-model-subject.ts";
import { startRedis } from "../support/redis-server.ts";

/** The store of the conformance suite: it makes generations, and says that new ones are whole. */
class NewGenerations extends RedisReadModelStore {
  readonly #redis: RedisConnection;
  readonly #builds: MemoryGenerations;
  readonly #begun = new Set<string>();

  constructor(redis: RedisConnection, memory: MemoryReadModelStore) {
    super({ redis, generations: memory, scanPageRows: 2 });
    this.#redis = redis;
    this.#builds = new MemoryGenerations({ store: memory, clock: new ManualClock() });
  }

  override async open(model: ReadModel): Promise<Generation> {
    const generation = await super.open(model);
    await this.#begin(generation);
    return generation;
  }

  async create(...made: Parameters<Generations["create"]>): Promise<Generation> {
    const generation = await this.#builds.create(...made);
    this.adopt(generation, made[0]);
    await this.#begin(generation);
    return generation;
  }

  swap(swap: Swap): Promise<SwapVerdict> {
    return this.#builds.swap(swap);
  }

  /** Without a claim: nobody owns a new generation's partitions. */
  async #begin(generation: Generation): Promise<void> {
    const name = `${generation.projection} ${generation.generation}`;
    if (this.#begun.has(name)) return;
    this.#begun.add(name);
    const known = this.known(generation);
    for (let partition = 0; partition < known.partitions; partition += 1) {
      const fill = new PartitionFill({ redis: this.#redis, known, partition, owned: [] });
      await fill.whole([], new Map());
    }
  }
}

export async function redisSubject(): Promise<ReadModelSubject> {
  const server = await startRedis();
  const redis = new RedisConnection({ url: server.url, name: "conformance" });
  await redis.connectedWithin(5_000);
  const memory = new MemoryReadModelStore();
  const store = new NewGenerations(redis, memory);
  const serving = async (projection: string): Promise<Generation | undefined> => {
    try {
      const { generation } = memory.servingSnapshot(projection);
      return { projection, generation, version: 1, serving: true };
    } catch {
      return undefined;
    }
  };
  return {
    store,
    generations: store,
    reader: new RedisReadModelReader({ redis, store, serving }),
    deadLetters: undefined,
    [Symbol.asyncDispose]: async () => {
      await redis[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
