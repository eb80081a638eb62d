import type { AnyRow } from "../../engine/columns.ts";
import type { BucketDigest } from "../../engine/digest.ts";
import { fencedOut, partitionsUnknown, type Place } from "../../engine/fencing.ts";
import { generationUnknown } from "../../engine/generation-faults.ts";
import { epoch } from "../../engine/position.ts";
import type {
  Generation,
  OwnedPartition,
  ReadModel,
  ReadModelFlush,
  ReadModelStore,
} from "../../engine/ports/read-model-store.ts";
import { assertRowFits } from "../../engine/stored-row.ts";
import { RedisColdError } from "./cold.ts";
import type { RedisConnection } from "./connection.ts";
import { addDigests } from "./digest-text.ts";
import { flushArguments, fenceArguments, type PartitionFlush, partitionsOf } from "./flush-call.ts";
import { indexKey, partitionKey, rowKey } from "./keys.ts";
import type { KnownGeneration } from "./known-generation.ts";
import { positionOf } from "./position-text.ts";
import { scanRows } from "./row-pages.ts";
import { RowText } from "./row-text.ts";
import type { ScriptCall } from "./script.ts";
import { claimScript, fenceScript, flushScript, readScript } from "./scripts.ts";

export interface RedisReadModelStoreOptions {
  readonly redis: RedisConnection;
  /** The store that has the generations, and the pointer to the one that serves. */
  readonly generations: Pick<ReadModelStore, "open">;
  /** Rows of one page of a scan (default 1,000). */
  readonly scanPageRows?: number;
}

/**
 * Read models in Redis: rows, digests and positions of one partition change together, in one script.
 * A flush of several partitions checks all fences first; what another writer does in between makes
 * it fail for that partition only. Notices and dead letters are not kept here: they are the other
 * store's, which has committed them before.
 */
export class RedisReadModelStore implements ReadModelStore {
  readonly #options: RedisReadModelStoreOptions;
  readonly #known = new Map<string, KnownGeneration>();

  constructor(options: RedisReadModelStoreOptions) {
    this.#options = options;
  }

  /** Opens it where the generations are: Redis has no pointer of its own. */
  async open(model: ReadModel): Promise<Generation> {
    const generation = await this.#options.generations.open(model);
    this.adopt(generation, model);
    return generation;
  }

  /** Says what a generation's rows are. */
  adopt(generation: Generation, model: ReadModel): void {
    const text = new RowText(model.columns);
    const partitions = Math.max(...model.topics.map((topic) => topic.partitions));
    this.#known.set(nameOf(generation), { generation, model, partitions, text });
  }

  /** @throws FatalError `generation-unknown`. */
  known(generation: Generation): KnownGeneration {
    const known = this.#known.get(nameOf(generation));
    if (known === undefined) throw generationUnknown(generation.projection, generation.generation);
    return known;
  }

  async claim(
    generation: Generation,
    partitions: readonly Place[],
  ): Promise<readonly OwnedPartition[]> {
    const { model } = this.known(generation);
    const unknown = partitions.filter(({ topic, partition }) =>
      model.topics.every((one) => one.name !== topic || partition >= one.partitions),
    );
    if (unknown.length > 0) throw partitionsUnknown(generation.projection, unknown);
    const calls = partitions.map(({ topic, partition }) => ({
      script: claimScript,
      keys: [partitionKey(generation, partition)],
      args: [topic],
    }));
    const doing = `Claiming ${generation.projection} in Redis`;
    const answers = await this.#options.redis.scripts(doing, "changing", calls);
    return partitions.map(({ topic, partition }, at) => {
      const [raised = "0", stands] = answers[at] as string[];
      return { topic, partition, epoch: epoch(BigInt(raised)), position: positionOf(stands) };
    });
  }

  async load(
    generation: Generation,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, AnyRow>> {
    const { partitions, text } = this.known(generation);
    const found = new Map<string, AnyRow>();
    if (keys.length === 0) return found;
    const tags = Array.from({ length: partitions }, (_, at) => partitionKey(generation, at));
    const names = tags.flatMap((tag) => keys.map((key) => rowKey(tag, key)));
    const doing = `Loading rows of ${generation.projection} from Redis`;
    const rows = await this.#options.redis.command(doing, (redis) => redis.mget(names));
    for (const [at, row] of rows.entries()) {
      if (row !== null) found.set(keys[at % keys.length] as string, text.decode(row));
    }
    return found;
  }

  /**
   * @throws FencedError, RedisColdError, TransientError as the port says; FatalError `row-unfit`
   * before anything is sent.
   */
  async flush(flush: ReadModelFlush): Promise<void> {
    const { model, text } = this.known(flush.generation);
    const { projection } = flush.generation;
    for (const { key, row } of flush.rows) {
      if (row !== undefined) assertRowFits(projection, model.columns, { key, row });
    }
    const partitions = partitionsOf(flush);
    // A single one is checked where it is written.
    if (partitions.length > 1) {
      await this.#run(flush.generation, partitions, (one) => ({
        script: fenceScript,
        keys: [partitionKey(flush.generation, one.partition)],
        args: fenceArguments(one.advances),
      }));
    }
    await this.#run(flush.generation, partitions, (one) => {
      const key = partitionKey(flush.generation, one.partition);
      const args = flushArguments(one, key, text);
      return { script: flushScript, keys: [key, indexKey(key)], args };
    });
  }

  async positions(generation: Generation): Promise<readonly Omit<OwnedPartition, "epoch">[]> {
    const { model } = this.known(generation);
    const all = model.topics.flatMap(({ name: topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    );
    const answers = await this.#read(
      generation,
      all.map(({ topic, partition }) => ({ partition, fields: [`at:${topic}`] })),
    );
    return all.map((place, at) => ({ ...place, position: positionOf(answers[at]?.[0]) }));
  }

  async digests(generation: Generation): Promise<ReadonlyMap<number, BucketDigest>> {
    const { partitions } = this.known(generation);
    const each = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      fields: ["digests"],
    }));
    const sums = new Map<number, BucketDigest>();
    for (const [text] of await this.#read(generation, each)) {
      if (typeof text === "string") addDigests(sums, text);
    }
    return new Map([...sums].filter(([, { rows }]) => rows > 0));
  }

  async *scan(generation: Generation): AsyncIterable<readonly { key: string; row: AnyRow }[]> {
    const { redis, scanPageRows = 1_000 } = this.#options;
    yield* scanRows({ redis, known: this.known(generation), pageRows: scanPageRows });
  }

  async #read(
    generation: Generation,
    wanted: readonly { readonly partition: number; readonly fields: readonly string[] }[],
  ): Promise<(string | null)[][]> {
    const calls = wanted.map(({ partition, fields }) => ({
      script: readScript,
      keys: [partitionKey(generation, partition)],
      args: fields,
    }));
    const doing = `Reading where ${generation.projection} stands in Redis`;
    return (await this.#options.redis.scripts(doing, "reading", calls)) as (string | null)[][];
  }

  async #run(
    generation: Generation,
    partitions: readonly PartitionFlush[],
    call: (one: PartitionFlush) => ScriptCall,
  ): Promise<void> {
    const doing = `Flushing ${generation.projection} to Redis`;
    const calls = partitions.map(call);
    const answers = await this.#options.redis.scripts(doing, "changing", calls);
    const lost: Place[] = [];
    const cold: number[] = [];
    for (const [at, { partition }] of partitions.entries()) {
      const [verdict, ...topics] = answers[at] as string[];
      if (verdict === "cold") cold.push(partition);
      if (verdict !== "held") lost.push(...topics.map((topic) => ({ topic, partition })));
    }
    if (cold.length > 0) throw new RedisColdError(generation.projection, cold);
    if (lost.length > 0) throw fencedOut(generation.projection, lost);
  }
}

const nameOf = ({ projection, generation }: Generation): string => `${projection} ${generation}`;
