import { setTimeout as delay } from "node:timers/promises";

import type { Pool } from "pg";

import { FatalError, TransientError } from "../../../engine/errors.ts";
import type { Metrics } from "../../../engine/ports/metrics.ts";
import type { Fetch, PartitionBounds } from "../../../engine/ports/record-log.ts";
import { assertReadable } from "../../../engine/record-log/faults.ts";
import { logError } from "./database-errors.ts";
import { type FetchAnswer, fetchBatches, type Reading } from "./fetch.ts";
import type { TailWatch } from "./tail-watch.ts";

export interface TopicReaderOptions {
  readonly pool: Pool;
  readonly watch: TailWatch;
  readonly metrics: Metrics;
  readonly topic: string;
  readonly topicNumber: number;
  /** Next offset wanted, by partition. */
  readonly next: Map<number, number>;
  readonly until: "end" | "forever";
  readonly fetchBytesMax: number;
  /** Failed fetches one after the other, beyond which the reader gives up. */
  readonly retriesMax: number;
  readonly retryDelayMs: number;
  readonly retryDelayMaxMs: number;
  readonly signal: AbortSignal;
}

const batchesMin = 4;
const batchesMax = 10_000;

/** One reading of a topic: fetches, one ahead of its consumer, and waits at the end. */
export class TopicReader {
  readonly #options: TopicReaderOptions;
  readonly #next: Map<number, number>;
  /** `until: "end"`: what is still to be reached, by partition. */
  #ends: Map<number, number> | undefined;
  /** Partitions that had more than the last fetch brought. */
  #behind: number;
  /** Batches to ask for, by the size that they had last. */
  #batchesMax = 64;

  constructor(options: TopicReaderOptions) {
    this.#options = options;
    this.#next = options.next;
    this.#behind = Math.max(1, options.next.size);
  }

  async *fetches(): AsyncGenerator<Fetch, void> {
    const { topic, signal } = this.#options;
    let ahead: Promise<FetchAnswer | undefined> | undefined;
    let told: FetchAnswer | undefined;
    try {
      while (!signal.aborted) {
        const answer = told ?? (await (ahead ?? this.#fetch()));
        ahead = undefined;
        told = undefined;
        if (answer === undefined || signal.aborted) return;
        const more = this.#advance(answer);
        if (more) {
          ahead = this.#fetch();
          // It is awaited in the next round; meanwhile its failure is nobody's surprise.
          ahead.catch(() => undefined);
        }
        if (answer.fetched.length > 0) yield { topic, partitions: answer.fetched };
        if (more) continue;
        if (this.#options.until === "end") return;
        told = await this.#options.watch.wait(this.#reading(), signal);
      }
    } finally {
      await ahead?.catch(() => undefined);
    }
  }

  /** Moves on behind what was fetched; is there more to fetch at once? */
  #advance({ fetched, bounds, batches, bytes }: FetchAnswer): boolean {
    const { until, fetchBytesMax } = this.#options;
    for (const { partition, nextOffset } of fetched) this.#next.set(partition, Number(nextOffset));
    if (until === "end") this.#finish(bounds);
    const behind = bounds.filter(
      ({ partition, end }) => (this.#next.get(partition) ?? Infinity) < Number(end),
    ).length;
    // All of them may have something when it has waited.
    this.#behind = behind === 0 ? Math.max(1, this.#next.size) : behind;
    if (batches > 0) {
      const wanted = Math.ceil((fetchBytesMax / this.#behind / (bytes / batches)) * 1.25);
      this.#batchesMax = Math.min(batchesMax, Math.max(batchesMin, wanted));
    }
    return until === "end" ? this.#next.size > 0 : behind > 0;
  }

  /** The ends of the first answer count; partitions that have reached theirs are left out. */
  #finish(bounds: readonly PartitionBounds[]): void {
    this.#ends ??= new Map(bounds.map(({ partition, end }) => [partition, Number(end)]));
    for (const [partition, end] of this.#ends) {
      if ((this.#next.get(partition) ?? 0) >= end) this.#next.delete(partition);
    }
  }

  /** Undefined after an abort. */
  async #fetch(): Promise<FetchAnswer | undefined> {
    const { signal, retriesMax, retryDelayMs, retryDelayMaxMs, metrics } = this.#options;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        return await this.#fetchOnce();
      } catch (error) {
        const named = logError(error, `Reading ${this.#options.topic}`);
        if (!(named instanceof TransientError) || failures >= retriesMax) throw named;
        metrics.count("log_fetch_retries_total", 1);
        const wait = Math.min(retryDelayMaxMs, retryDelayMs * 2 ** failures);
        await delay(wait, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  #reading(): Reading {
    const { topicNumber, fetchBytesMax } = this.#options;
    // The position as it is asked for: read-ahead must not see it move.
    const next = new Map(this.#next);
    return { topicNumber, next, bytesMax: Math.max(1, Math.floor(fetchBytesMax / this.#behind)) };
  }

  async #fetchOnce(): Promise<FetchAnswer> {
    const { pool, topic } = this.#options;
    const reading = this.#reading();
    const { next } = reading;
    const answer = await fetchBatches(pool, { ...reading, batchesMax: this.#batchesMax });
    if (answer.bounds.length < next.size) throw topicGone(topic);
    // Retention may have overtaken the position, or a restored backup fallen behind it.
    assertReadable(topic, asOffsets(next), answer.bounds);
    return answer;
  }
}

function asOffsets(next: ReadonlyMap<number, number>): Map<number, bigint> {
  return new Map([...next].map(([partition, at]) => [partition, BigInt(at)]));
}

function topicGone(topic: string): FatalError {
  return new FatalError(
    "topic-unknown",
    `Topic ${topic} was deleted while it was read.`,
    "If it was made anew, rebuild what reads it.",
  );
}
