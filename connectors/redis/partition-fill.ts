import type { BucketDigest } from "../../engine/digest.ts";
import type { StandingPartition, SnapshotRow } from "../../engine/ports/read-model-snapshots.ts";
import type { OwnedPartition } from "../../engine/ports/read-model-store.ts";
import { fencedOut } from "../../engine/fencing.ts";
import type { RedisConnection } from "./connection.ts";
import { digestText } from "./digest-text.ts";
import { indexKey, partitionKey } from "./keys.ts";
import { positionText } from "./position-text.ts";
import type { KnownGeneration } from "./known-generation.ts";
import type { Script } from "./script.ts";
import { clearScript, fillScript, readScript, wholeScript } from "./scripts.ts";

export interface PartitionFillOptions {
  readonly redis: RedisConnection;
  readonly known: KnownGeneration;
  readonly partition: number;
  /** Its topics, claimed in Redis: every step is fenced by their epochs. */
  readonly owned: readonly OwnedPartition[];
}

/** Rows in one call: what others wait for meanwhile. */
const rowsPerCall = 1_000;

/**
 * Fills one partition from a snapshot. Until it says that it is whole, readers find it cold; a
 * crash in the middle leaves it so.
 */
export class PartitionFill {
  readonly #options: PartitionFillOptions;
  readonly #tag: string;
  readonly #epochs: readonly (string | number)[];

  constructor(options: PartitionFillOptions) {
    this.#options = options;
    const { known, partition, owned } = options;
    this.#tag = partitionKey(known.generation, partition);
    this.#epochs = [owned.length, ...owned.flatMap((of) => [of.topic, String(of.epoch)])];
  }

  /** Does it stand exactly here already, with all its rows? */
  async standsAt(standing: readonly StandingPartition[]): Promise<boolean> {
    const { redis, owned } = this.#options;
    const call = { script: readScript, keys: [this.#tag], args: ["whole", "revision"] };
    const [answer] = await redis.scripts(this.#doing, "reading", [call]);
    const [whole, revision] = answer as (string | null)[];
    return (
      whole === "1" &&
      revision === revisionOf(standing) &&
      standing.every(({ topic, position }) => {
        const held = owned.find((of) => of.topic === topic)?.position;
        return positionText(held) === positionText(position);
      })
    );
  }

  /** Takes away what is there. */
  async clear(): Promise<void> {
    for (;;) {
      const left = await this.#step(clearScript, [rowsPerCall]);
      if (left === 0) return;
    }
  }

  async rows(rows: readonly SnapshotRow[]): Promise<void> {
    const { text } = this.#options.known;
    for (let from = 0; from < rows.length; from += rowsPerCall) {
      const part = rows.slice(from, from + rowsPerCall);
      await this.#step(
        fillScript,
        part.flatMap(({ key, row }) => [key, text.encode(row)]),
      );
    }
  }

  /** All rows are there: readers may have them. */
  async whole(
    standing: readonly StandingPartition[],
    digests: ReadonlyMap<number, BucketDigest>,
  ): Promise<void> {
    const fields: (string | number)[] = ["revision", revisionOf(standing)];
    for (const { topic, position, lastRecordedAtMs } of standing) {
      if (position !== undefined) fields.push(`at:${topic}`, positionText(position));
      if (lastRecordedAtMs !== undefined) fields.push(`time:${topic}`, lastRecordedAtMs);
    }
    if (digests.size > 0) fields.push("digests", digestText(digests));
    await this.#step(wholeScript, fields);
  }

  /** @throws FencedError when another writer has claimed the partition, or Redis was emptied. */
  async #step(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    const { redis, known, owned } = this.#options;
    const keys = [this.#tag, indexKey(this.#tag)];
    const call = { script, keys, args: [...this.#epochs, ...args] };
    const [answer] = await redis.scripts(this.#doing, "changing", [call]);
    if (answer === "fenced") throw fencedOut(known.generation.projection, owned);
    return answer;
  }

  get #doing(): string {
    return `Filling ${this.#options.known.generation.projection} in Redis`;
  }
}

/** One text for all the partition's topics. */
const revisionOf = (standing: readonly StandingPartition[]): string =>
  standing.map(({ revision }) => revision).join("|");
