import { TransientError } from "../../engine/errors.ts";
import { type Metrics, noMetrics } from "../../engine/ports/metrics.ts";
import type { Offset } from "../../engine/position.ts";
import type { KafkaCluster } from "./cluster.ts";
import { brokerFault } from "./error-codes.ts";
import { findCoordinator, offsetCommit } from "./requests/offset-commit.ts";

export interface GroupOffsetMirrorOptions {
  readonly cluster: KafkaCluster;
  readonly metrics?: Metrics;
  /** How often a group's offsets are committed at most. */
  readonly intervalMs?: number;
  /** Of all groups; what doesn't fit is left out and counted. */
  readonly partitionsMax?: number;
}

/** How far a consumer has flushed a partition. */
export interface FlushedOffset {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: Offset;
}

type Topics = Map<string, Map<number, bigint>>;

/**
 * Tells Kafka's consumer groups how far read models are, for lag tools and autoscalers. Nothing is
 * ever read back: positions live with their effects. So only the newest offset of a partition counts,
 * a commit that fails is counted and goes with the next one, and nobody waits for any of it.
 *
 * Kafka takes such commits while a group has no members; a group of this name that consumes by
 * itself makes them fail.
 */
export class GroupOffsetMirror implements AsyncDisposable {
  readonly #cluster: KafkaCluster;
  readonly #metrics: Metrics;
  readonly #intervalMs: number;
  readonly #partitionsMax: number;
  readonly #coordinators = new Map<string, number>();
  #pending = new Map<string, Topics>();
  #partitions = 0;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #committing: Promise<void> = Promise.resolve();

  constructor(options: GroupOffsetMirrorOptions) {
    this.#cluster = options.cluster;
    this.#metrics = options.metrics ?? noMetrics;
    this.#intervalMs = options.intervalMs ?? 1_000;
    this.#partitionsMax = options.partitionsMax ?? 10_000;
  }

  /** After a flush. Returns at once, and never fails. */
  flushed({ group, topic, partition, nextOffset }: FlushedOffset): void {
    const offsets = this.#offsetsOf(group, topic);
    if (!offsets.has(partition)) {
      if (this.#partitions >= this.#partitionsMax) {
        this.#metrics.count("log_group_commits_total", 1, { outcome: "left-out" });
        return;
      }
      this.#partitions += 1;
    }
    offsets.set(partition, nextOffset);
    this.#schedule();
  }

  /** Commits what is still to be told, once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#begin();
    await this.#committing;
  }

  #offsetsOf(group: string, topic: string): Map<number, bigint> {
    let topics = this.#pending.get(group);
    if (!topics) this.#pending.set(group, (topics = new Map()));
    let offsets = topics.get(topic);
    if (!offsets) topics.set(topic, (offsets = new Map()));
    return offsets;
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => this.#begin(), this.#intervalMs);
  }

  /** One commit after the other: an older one must not come last. */
  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#committing = this.#committing.then(async () => {
      const pending = this.#pending;
      this.#pending = new Map();
      this.#partitions = 0;
      for (const [group, topics] of pending) await this.#commit(group, topics);
    });
  }

  async #commit(group: string, topics: Topics): Promise<void> {
    try {
      const node = await this.#coordinator(group);
      const codes = await this.#cluster.askNode(node, offsetCommit({ group, topics }));
      const code = codes.find((one) => one !== 0);
      if (code !== undefined) throw brokerFault(code, `Committing offsets of group ${group}`);
      this.#metrics.count("log_group_commits_total", 1, { outcome: "committed" });
    } catch (error) {
      // Another broker may keep the group now.
      if (error instanceof TransientError) this.#coordinators.delete(group);
      this.#metrics.count("log_group_commits_total", 1, { outcome: "failed" });
      this.#putBack(group, topics);
    }
  }

  /** Unless something newer has come meanwhile. */
  #putBack(group: string, topics: Topics): void {
    for (const [topic, failed] of topics) {
      const offsets = this.#offsetsOf(group, topic);
      for (const [partition, next] of failed) {
        if (offsets.has(partition) || this.#partitions >= this.#partitionsMax) continue;
        offsets.set(partition, next);
        this.#partitions += 1;
      }
    }
    this.#schedule();
  }

  async #coordinator(group: string): Promise<number> {
    const known = this.#coordinators.get(group);
    if (known !== undefined) return known;
    const found = await this.#cluster.ask(findCoordinator(group));
    if (found.errorCode !== 0) {
      throw brokerFault(found.errorCode, `Looking for the coordinator of group ${group}`);
    }
    this.#cluster.learn([found]);
    this.#coordinators.set(group, found.nodeId);
    return found.nodeId;
  }
}
