import { classify } from "../../../engine/error-policy.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import type { LetterFeed, StoredDeadLetter } from "../../../engine/ports/dead-letters.ts";
import type { Metrics } from "../../../engine/ports/metrics.ts";
import type { RecordLog, RecordToAppend, TopicInfo } from "../../../engine/ports/record-log.ts";
import { letterRecord } from "./record.ts";

export interface DeadLetterTopicsOptions {
  readonly feed: LetterFeed;
  readonly log: Pick<RecordLog, "append" | "ensureTopic" | "topics">;
  /** Topics whose dead letters have a topic from the start; others get theirs with the first. */
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
  /** How long the topics keep their records (default: 30 days); of those that are made. */
  readonly retentionMs?: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** How often it is looked whether there is something to publish (default 1,000). */
  readonly intervalMs?: number;
  /** Letters that are published at once (default 500). */
  readonly lettersMax?: number;
  /**
   * A larger record goes without its value, which a broker would refuse (default 900,000; Kafka's
   * `max.message.bytes` is 1 MiB).
   */
  readonly recordBytesMax?: number;
}

export const defaultDeadLetterRetentionMs = 30 * 24 * 3_600_000;

/** Name of the topic that has a topic's dead letters. */
export const deadLetterTopicOf = (topic: string): string => `${topic}.dlq`;

/**
 * Tells other programs of dead letters, in a topic beside each topic: one record for each disposition
 * of each letter, at least once, a partition's in order of the letters' ids. Nothing here reads those
 * topics: what is done with letters is asked of Refold.
 */
export class DeadLetterTopics implements AsyncDisposable {
  readonly #options: DeadLetterTopicsOptions;
  readonly #ending = new AbortController();
  /** Topics of dead letters that are known to be there. */
  readonly #made = new Map<string, TopicInfo>();
  readonly #done: Promise<void>;

  /** Begins at once. */
  constructor(options: DeadLetterTopicsOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** Finishes what is being published. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, metrics, intervalMs = 1_000 } = this.#options;
    const { signal } = this.#ending;
    metrics.count("dead_letters_published_total", 0);
    while (!signal.aborted) {
      try {
        await this.#makeTopics();
        while (!signal.aborted && (await this.#publish()) > 0);
      } catch (error) {
        if (classify(error) === "rethrow") throw error;
        // An outage, or a topic that somebody else has made otherwise: the next look finds the same.
        metrics.count("dead_letter_publish_failures_total", 1);
      }
      await clock.sleep(intervalMs, signal);
    }
  }

  async #makeTopics(): Promise<void> {
    if (this.#options.topics.every(({ name }) => this.#made.has(name))) return;
    for (const { name, partitions } of this.#options.topics) await this.#topicOf(name, partitions);
  }

  async #publish(): Promise<number> {
    const { feed, metrics, lettersMax = 500 } = this.#options;
    const published = await feed.publish(lettersMax, (letters) => this.#append(letters));
    if (published === "elsewhere") return 0;
    metrics.count("dead_letters_published_total", published);
    return published;
  }

  async #append(letters: readonly StoredDeadLetter[]): Promise<void> {
    const { log, recordBytesMax = 900_000 } = this.#options;
    const byPlace = new Map<
      string,
      { topic: string; partition: number; records: RecordToAppend[] }
    >();
    for (const letter of letters) {
      const { name: topic, partitions } = await this.#topicOf(letter.topic, letter.partition + 1);
      // The same number keeps what belongs together together, where there are as many.
      const partition = letter.partition % partitions;
      const place = `${topic}/${partition}`;
      const append = byPlace.get(place) ?? { topic, partition, records: [] };
      append.records.push(letterRecord(letter, recordBytesMax));
      byPlace.set(place, append);
    }
    await log.append([...byPlace.values()]);
  }

  /** One that is there stays as it is, however many partitions it has. */
  async #topicOf(source: string, partitionsLeast: number): Promise<TopicInfo> {
    const known = this.#made.get(source);
    if (known !== undefined) return known;
    const { log, retentionMs = defaultDeadLetterRetentionMs } = this.#options;
    const name = deadLetterTopicOf(source);
    const topics = await log.topics();
    const partitions = topics.find((one) => one.name === source)?.partitions ?? partitionsLeast;
    const found =
      topics.find((one) => one.name === name) ??
      (await log.ensureTopic({ name, partitions, retentionMs }));
    this.#made.set(source, found);
    return found;
  }
}
