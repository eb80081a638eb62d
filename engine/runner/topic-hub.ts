import { type BackoffOptions, backoffMs } from "../backoff.ts";
import { classify } from "../error-policy.ts";
import type { Offset } from "../position.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Fetch, RecordLog } from "../ports/record-log.ts";
import { type Offsets, sameOffsets, Subscription } from "./subscription.ts";
import { Wakeup, withTimeout } from "./wakeup.ts";

export interface TopicHubOptions {
  readonly topic: string;
  readonly log: RecordLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly backoff: BackoffOptions;
  readonly fetchBytesMax: number;
  /** Fetches that wait for one consumer. */
  readonly fetchesMax: number;
  /** How long readers wait at the start for all consumers to subscribe (default 2,000). */
  readonly gatherMs?: number;
}

/**
 * Reads a topic for all consumers in this process: once for those that are at the same place. One
 * that begins elsewhere, or whose queue is full while another has nothing to do, gets a reader of
 * its own; readers that come to the same place become one again.
 */
export class TopicHub {
  readonly #options: TopicHubOptions;
  readonly #readers = new Set<TopicReader>();
  /** Consumers that are on their way to their first subscription. */
  #expected = 0;
  #complete: () => void = () => undefined;
  readonly #all = new Promise<void>((resolve) => (this.#complete = resolve));

  constructor(options: TopicHubOptions) {
    this.#options = options;
  }

  /** Says that one more consumer will subscribe. */
  expect(): void {
    this.#expected += 1;
  }

  /** A consumer that was expected has subscribed, or never will. */
  arrive(): void {
    this.#expected -= 1;
    if (this.#expected === 0) this.#complete();
  }

  /**
   * Resolves when all have come that are expected: claiming takes each another while, and who
   * subscribes after the first fetch would read the topic a second time. Bounded: nobody waits long
   * for one that has trouble with its store.
   */
  async gathered(): Promise<void> {
    const { clock, gatherMs = 2_000 } = this.#options;
    if (this.#expected > 0) await withTimeout(this.#all, clock, gatherMs);
    this.#expected = 0;
  }

  /** How many readers there are now. */
  get readers(): number {
    return this.#readers.size;
  }

  subscribe(from: Offsets, onReady: () => void): Subscription {
    const { fetchesMax } = this.#options;
    const subscription = new Subscription({
      fetchesMax,
      onReady,
      onTaken: () => {
        for (const reader of this.#readers) reader.look();
      },
    });
    for (const reader of this.#readers) {
      // One that has ended stays in the set until its last read is over, and gives nothing more.
      if (reader.ended || !sameOffsets(reader.offsets, from)) continue;
      reader.subscribers.add(subscription);
      return subscription;
    }
    this.begin(from, subscription);
    return subscription;
  }

  begin(from: Offsets, subscription: Subscription): void {
    const reader = new TopicReader(this, this.#options, { from, subscription });
    this.#readers.add(reader);
    reader.done = reader.run().finally(() => this.#readers.delete(reader));
  }

  /** Hands a reader's consumers to another one that stands at the same place. */
  merge(reader: TopicReader): boolean {
    for (const other of this.#readers) {
      if (other === reader || other.ended || !sameOffsets(other.offsets, reader.offsets)) continue;
      for (const subscription of reader.subscribers) other.subscribers.add(subscription);
      reader.subscribers.clear();
      return true;
    }
    return false;
  }

  async close(): Promise<void> {
    const readers = [...this.#readers];
    for (const reader of readers) reader.end();
    await Promise.allSettled(readers.map((reader) => reader.done));
  }
}

class TopicReader {
  /** Where the next fetch goes on: everything before was given to all subscribers. */
  readonly offsets: Map<number, Offset>;
  readonly subscribers: Set<Subscription>;
  done: Promise<void> = Promise.resolve();
  readonly #hub: TopicHub;
  readonly #options: TopicHubOptions;
  readonly #wakeup = new Wakeup();
  readonly #ending = new AbortController();
  #failures = 0;

  constructor(
    hub: TopicHub,
    options: TopicHubOptions,
    begin: { readonly from: Offsets; readonly subscription: Subscription },
  ) {
    this.#hub = hub;
    this.#options = options;
    this.offsets = new Map(begin.from);
    this.subscribers = new Set([begin.subscription]);
  }

  get ended(): boolean {
    return this.#ending.signal.aborted;
  }

  end(): void {
    this.#ending.abort();
    this.#wakeup.call();
  }

  /** A queue has room again, or a subscription was closed. */
  look(): void {
    for (const one of this.subscribers) if (one.closed) this.subscribers.delete(one);
    if (this.subscribers.size === 0) this.end();
    this.#wakeup.call();
  }

  async run(): Promise<void> {
    await this.#hub.gathered();
    while (!this.ended) {
      try {
        await this.#read();
      } catch (error) {
        if (!(await this.#mayRetry(error))) return this.#failed(error);
      }
    }
  }

  async #read(): Promise<void> {
    const { log, topic, fetchBytesMax } = this.#options;
    const { signal } = this.#ending;
    const read = { topic, from: new Map(this.offsets), fetchBytesMax, signal };
    for await (const fetch of log.read({ ...read, until: "forever" })) {
      this.#failures = 0;
      await this.#room();
      if (this.ended) return;
      this.#deliver(fetch);
      if (this.#hub.merge(this)) this.end();
      if (this.ended) return;
    }
  }

  #deliver(fetch: Fetch): void {
    for (const { partition, nextOffset } of fetch.partitions) {
      this.offsets.set(partition, nextOffset);
    }
    for (const subscription of this.subscribers) subscription.put(fetch);
  }

  /** Waits until every queue has room; a full one doesn't keep an idle one waiting. */
  async #room(): Promise<void> {
    while (!this.ended) {
      const full = [...this.subscribers].filter((one) => one.full);
      if (full.length === 0) return;
      if ([...this.subscribers].some((one) => one.empty)) {
        for (const slow of full) {
          this.subscribers.delete(slow);
          this.#hub.begin(this.offsets, slow);
        }
        return;
      }
      await this.#wakeup.wait(this.#options.clock);
    }
  }

  async #mayRetry(error: unknown): Promise<boolean> {
    const { backoff, random, clock } = this.#options;
    this.#failures += 1;
    if (classify(error) !== "retry" || this.#failures >= backoff.attemptsMax) return false;
    await clock.sleep(backoffMs(this.#failures, backoff, random), this.#ending.signal);
    return true;
  }

  #failed(error: unknown): void {
    for (const subscription of this.subscribers) subscription.fail(error);
    this.end();
  }
}
