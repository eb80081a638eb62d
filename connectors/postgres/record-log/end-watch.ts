import type { ClientConfig, Pool } from "pg";

import type { Metrics } from "../../../engine/ports/metrics.ts";
import { Listener } from "../listener.ts";
import { logChannel } from "./append-records.ts";

export interface EndWatchOptions {
  readonly pool: Pool;
  /** Of the connection that listens: one of its own, made when the first reader waits. */
  readonly listen: ClientConfig;
  readonly metrics: Metrics;
  /** How often the ends are asked for while somebody waits, whatever is heard. */
  readonly pollIntervalMs: number;
  readonly reconnectDelayMs: number;
  readonly reconnectDelayMaxMs: number;
}

interface Waiter {
  readonly topicNumber: number;
  readonly next: ReadonlyMap<number, number>;
  readonly wake: () => void;
}

/**
 * Wakes readers that have read everything. A notification says only that something was appended
 * somewhere; the ends of all topics waited for are then asked for in one query, however many
 * readers wait and however many notifications came meanwhile.
 *
 * Nothing gets lost: ends are asked for when a reader begins to wait, a notification that comes
 * during a query asks once more after it, and a timer asks where no notification arrives (the
 * listening connection is broken, or goes through a pooler that drops LISTEN).
 */
export class EndWatch implements AsyncDisposable {
  readonly #options: EndWatchOptions;
  readonly #listener: Listener;
  readonly #waiters = new Set<Waiter>();
  #pollTimer: NodeJS.Timeout | undefined;
  #asking: Promise<void> | undefined;
  #askAgain = false;
  #closed = false;

  constructor(options: EndWatchOptions) {
    this.#options = options;
    const { listen, reconnectDelayMs, reconnectDelayMaxMs, metrics } = options;
    this.#listener = new Listener({
      listen,
      channel: logChannel,
      onHeard: () => this.#ask(),
      onLost: () => metrics.count("log_listener_losses_total", 1),
      reconnectDelayMs,
      reconnectDelayMaxMs,
    });
  }

  /**
   * Resolves when a partition reaches beyond its offset in `next`, when the ends can't be asked for
   * (the reader finds out why), at an abort, or when the watch is closed.
   */
  async wait(
    topicNumber: number,
    next: ReadonlyMap<number, number>,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted || this.#closed) return;
    this.#listener.begin();
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(waiter);
        signal.removeEventListener("abort", wake);
        if (this.#waiters.size === 0) this.#stopPolling();
        resolve();
      };
      const waiter: Waiter = { topicNumber, next, wake };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", wake);
      this.#ask();
      this.#pollTimer ??= setInterval(() => this.#ask(), this.#options.pollIntervalMs);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#wake(() => true);
    await this.#asking;
    await this.#listener[Symbol.asyncDispose]();
  }

  #stopPolling(): void {
    clearInterval(this.#pollTimer);
    this.#pollTimer = undefined;
  }

  #wake(reached: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiters) if (reached(waiter)) waiter.wake();
  }

  #ask(): void {
    if (this.#waiters.size === 0) return;
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = this.#askUntilQuiet();
  }

  async #askUntilQuiet(): Promise<void> {
    do {
      this.#askAgain = false;
      if (this.#waiters.size === 0) break;
      await this.#askOnce().catch(() => this.#wakeAfterFailure());
    } while (this.#askAgain && !this.#closed);
    // In the same turn as the last look at `askAgain`: who asks from now on begins anew.
    this.#asking = undefined;
  }

  /** Readers meet the same failure and have the bounded retries; asking again waits for the timer. */
  #wakeAfterFailure(): void {
    this.#askAgain = false;
    this.#wake(() => true);
  }

  async #askOnce(): Promise<void> {
    const asked = new Set([...this.#waiters].map((waiter) => waiter.topicNumber));
    const { rows } = await this.#options.pool.query<[number, number, bigint]>({
      name: "refold-log-ends",
      text: `select topic_number, partition, end_offset from refold.log_partitions
             where topic_number = any($1::int[])`,
      values: [[...asked]],
      rowMode: "array",
    });
    const ends = new Map(rows.map(([topic, partition, end]) => [`${topic}/${partition}`, end]));
    this.#wake(({ topicNumber, next }) => {
      // Who came meanwhile, for another topic, is answered by the next look.
      if (!asked.has(topicNumber)) return false;
      for (const [partition, at] of next) {
        const end = ends.get(`${topicNumber}/${partition}`);
        // A partition that is gone wakes too: the reader says so by name.
        if (end === undefined || end > BigInt(at)) return true;
      }
      return false;
    });
  }
}
