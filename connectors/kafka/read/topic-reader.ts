import { setTimeout as delay } from "node:timers/promises";

import { TransientError } from "../../../engine/errors.ts";
import { offset } from "../../../engine/position.ts";
import type { Metrics } from "../../../engine/ports/metrics.ts";
import type { Fetch, FetchedPartition, ReadOptions } from "../../../engine/ports/record-log.ts";
import { assertReadable } from "../../../engine/record-log/faults.ts";
import { type KafkaCluster, retryWaitMs } from "../cluster.ts";
import type { BrokerConnection } from "../connection/broker-connection.ts";
import { brokerFault, errorCodes } from "../error-codes.ts";
import { wholeBatches } from "../records/whole-batches.ts";
import { fetch as fetchRequest, type FetchAnswer } from "../requests/fetch.ts";
import type { TopicMetadata } from "../requests/metadata.ts";
import { partitionBounds, topicWithLeaders } from "../topics.ts";
import { HandOver } from "./hand-over.ts";
import { partitionCountChanged, topicReplaced } from "./topic-changes.ts";

export interface TopicReaderOptions {
  readonly cluster: KafkaCluster;
  readonly metrics: Metrics;
  readonly topic: string;
  readonly from: ReadOptions["from"];
  readonly until: ReadOptions["until"];
  readonly fetchBytesMax: number;
  /** Of one partition in one fetch, so that several are brought side by side. */
  readonly partitionBytesMax: number;
  readonly inflatedBytesMax: number;
  /** How long a broker may wait for records. */
  readonly fetchWaitMs: number;
  /** Failures of one broker one after the other, beyond which the series fails. */
  readonly retriesMax: number;
  /** How old the knowledge of leaders and partitions may become. */
  readonly metadataAgeMaxMs: number;
  readonly signal: AbortSignal;
}

/** A topic may be missing in the answers of a broker that has just started. */
const absencesMax = 5;

/**
 * Reads partitions of one topic from all brokers that lead them, each by a loop and a connection of
 * its own that fetches one answer ahead. Leaders that change, and brokers that come back, are
 * followed; everything that would skip a record is an error by name.
 */
export class TopicReader {
  readonly #options: TopicReaderOptions;
  /** Next offset by partition, in the order in which brokers are asked to fill their answers. */
  readonly #next: Map<number, number>;
  readonly #ends = new Map<number, number>();
  readonly #handOver = new HandOver();
  readonly #stopping = new AbortController();
  /** The loops that run, by node. */
  readonly #loops = new Map<number, Promise<void>>();
  readonly #connections = new Set<BrokerConnection>();
  readonly #leaders = new Map<number, number>();
  #topicId = "";
  #partitionCount = 0;
  #refreshedAtMs = 0;
  #refreshing: Promise<void> | undefined;
  #absences = 0;

  constructor(options: TopicReaderOptions) {
    this.#options = options;
    this.#next = new Map([...options.from].map(([partition, at]) => [partition, Number(at)]));
  }

  async *fetches(): AsyncGenerator<Fetch, void> {
    const { signal } = this.#options;
    if (signal.aborted) return;
    const stop = (): void => this.#stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await this.#begin();
      for (;;) {
        const fetch = await this.#handOver.take();
        if (fetch === undefined || signal.aborted) return;
        yield fetch;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#stop();
      await Promise.allSettled(this.#loops.values());
    }
  }

  /** Where retention or a restored log leave a gap, nothing is read at all. */
  async #begin(): Promise<void> {
    const { cluster, topic: name, from, until } = this.#options;
    const topic = await cluster.retry(async () => {
      const found = await topicWithLeaders(cluster, name);
      const bounds = await partitionBounds(cluster, found);
      assertReadable(name, from, bounds);
      if (until === "end") {
        for (const { partition, end } of bounds) this.#ends.set(partition, Number(end));
      }
      return found;
    }, this.#stopping.signal);
    this.#topicId = topic.id;
    this.#partitionCount = topic.partitions.length;
    this.#learn(topic);
    this.#dropFinished();
    this.#endWhenFinished();
    if (!this.#stopping.signal.aborted) this.#startLoops();
  }

  #stop(): void {
    this.#stopping.abort();
    this.#handOver.abandon();
    for (const connection of this.#connections) connection.close();
  }

  #learn(topic: TopicMetadata): void {
    for (const { partition, leader } of topic.partitions) {
      // One without a leader stays with the last: its answer makes us look again.
      if (leader >= 0) this.#leaders.set(partition, leader);
    }
    this.#refreshedAtMs = performance.now();
  }

  #startLoops(): void {
    for (const partition of this.#next.keys()) {
      const node = this.#leaders.get(partition);
      if (node === undefined || this.#loops.has(node)) continue;
      const loop = this.#follow(node)
        .catch((error: unknown) => this.#handOver.end(error))
        .finally(() => {
          this.#loops.delete(node);
          // Partitions may have come back to this node while its loop was ending.
          if (!this.#stopping.signal.aborted) this.#startLoops();
        });
      this.#loops.set(node, loop);
    }
  }

  /** Fetches from one broker what it leads, until that is nothing more. */
  async #follow(node: number): Promise<void> {
    const { retriesMax, metrics, metadataAgeMaxMs } = this.#options;
    const { signal } = this.#stopping;
    let connection: BrokerConnection | undefined;
    try {
      for (let failures = 0; !signal.aborted;) {
        const wanted = this.#ledBy(node);
        if (wanted.size === 0) return;
        try {
          if (performance.now() - this.#refreshedAtMs > metadataAgeMaxMs) await this.#refresh();
          if (!connection || connection.closed) connection = await this.#connect(node, connection);
          await this.#fetchOnce(connection, wanted);
          failures = 0;
        } catch (error) {
          if (signal.aborted) return;
          if (!(error instanceof TransientError) || failures >= retriesMax) throw error;
          metrics.count("log_fetch_retries_total", 1);
          await delay(retryWaitMs(failures), undefined, { signal }).catch(() => undefined);
          failures += 1;
          // Its own failure is met again, and counted, by the next attempt.
          await this.#refresh().catch(throwUnlessTransient);
        }
      }
    } finally {
      this.#forget(connection);
    }
  }

  async #connect(node: number, old: BrokerConnection | undefined): Promise<BrokerConnection> {
    this.#forget(old);
    const connection = await this.#options.cluster.connect(node);
    this.#connections.add(connection);
    if (this.#stopping.signal.aborted) connection.close();
    return connection;
  }

  #forget(connection: BrokerConnection | undefined): void {
    if (connection === undefined) return;
    connection.close();
    this.#connections.delete(connection);
  }

  #ledBy(node: number): Map<number, number> {
    const wanted = new Map<number, number>();
    for (const [partition, next] of this.#next) {
      if (this.#leaders.get(partition) === node) wanted.set(partition, next);
    }
    return wanted;
  }

  async #fetchOnce(
    connection: BrokerConnection,
    wanted: ReadonlyMap<number, number>,
  ): Promise<void> {
    const { topic, fetchBytesMax, partitionBytesMax, fetchWaitMs } = this.#options;
    const answer = await connection.request(
      fetchRequest({
        topicId: this.#topicId,
        partitions: [...wanted].map(([partition, from]) => ({ partition, offset: from })),
        bytesMax: fetchBytesMax,
        partitionBytesMax: Math.min(fetchBytesMax, partitionBytesMax),
        maxWaitMs: fetchWaitMs,
      }),
      { waitMs: fetchWaitMs },
    );
    const partitions = this.#accept(answer);
    if (partitions.length > 0) await this.#handOver.give({ topic, partitions });
    this.#endWhenFinished();
    await this.#assertAnswered(answer);
  }

  /** Moves on behind what came; who brought something is asked last the next time. */
  #accept(answer: FetchAnswer): FetchedPartition[] {
    const fetched: FetchedPartition[] = [];
    for (const { partition, errorCode, records } of answer.partitions) {
      if (errorCode !== 0 || records.length === 0) continue;
      const { bytes, nextOffset } = wholeBatches(records, this.#options.inflatedBytesMax);
      if (nextOffset < 0 || nextOffset <= (this.#next.get(partition) ?? 0)) continue;
      fetched.push({ partition, bytes, nextOffset: offset(nextOffset) });
      this.#next.delete(partition);
      this.#next.set(partition, nextOffset);
    }
    this.#dropFinished();
    return fetched;
  }

  #dropFinished(): void {
    for (const [partition, end] of this.#ends) {
      if ((this.#next.get(partition) ?? 0) >= end) this.#next.delete(partition);
    }
  }

  #endWhenFinished(): void {
    if (this.#options.until === "end" && this.#next.size === 0) this.#handOver.end();
  }

  async #assertAnswered(answer: FetchAnswer): Promise<void> {
    const { topic } = this.#options;
    if (answer.errorCode !== 0) throw brokerFault(answer.errorCode, `Reading ${topic}`);
    for (const { partition, errorCode } of answer.partitions) {
      if (errorCode === 0) continue;
      if (errorCode === errorCodes.offsetOutOfRange) await this.#assertInRange();
      throw brokerFault(errorCode, `Reading ${topic}, partition ${partition}`);
    }
  }

  /** Names what is lost. Where nothing is, the broker's answer was overtaken: it is asked again. */
  async #assertInRange(): Promise<void> {
    const { cluster, topic } = this.#options;
    const bounds = await partitionBounds(cluster, await topicWithLeaders(cluster, topic));
    const wanted = [...this.#next].map(([partition, at]) => [partition, BigInt(at)] as const);
    assertReadable(topic, new Map(wanted), bounds);
    throw new TransientError("kafka", `${topic} was out of range for a moment.`);
  }

  /** One look at the metadata for all loops. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#look().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #look(): Promise<void> {
    const { cluster, topic: name } = this.#options;
    const topic = await cluster.findTopic(name);
    if (topic === undefined) {
      this.#absences += 1;
      if (this.#absences >= absencesMax) throw topicReplaced(name, "deleted");
      throw new TransientError("kafka", `Kafka knows no topic ${name} at the moment.`);
    }
    this.#absences = 0;
    if (topic.id !== this.#topicId) throw topicReplaced(name, "made anew");
    if (topic.partitions.length > this.#partitionCount) {
      throw partitionCountChanged(name, this.#partitionCount, topic.partitions.length);
    }
    this.#learn(topic);
    this.#startLoops();
  }
}

function throwUnlessTransient(error: unknown): void {
  if (!(error instanceof TransientError)) throw error;
}
