import type { ClientConfig, Pool } from "pg";

import type { Clock } from "../../../engine/ports/clock.ts";
import type { Metrics } from "../../../engine/ports/metrics.ts";
import { Listener } from "../listener.ts";
import { logChannel } from "./append-records.ts";
import type { FetchAnswer, Reading } from "./fetch.ts";
import { type KnownEnd, readTail } from "./read-tail.ts";
import { type Ahead, Tail } from "./tail.ts";

export interface TailWatchOptions {
  readonly pool: Pool;
  /** Of the connection that listens: one of its own, made when the first reader waits. */
  readonly listen: ClientConfig;
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** How often is looked while somebody waits, whatever is heard. */
  readonly pollIntervalMs: number;
  readonly reconnectDelayMs: number;
  readonly reconnectDelayMaxMs: number;
  /** Of the batches that are kept for readers. */
  readonly tailBytesMax: number;
}

interface Waiter extends Reading {
  readonly wake: (answer: FetchAnswer | undefined) => void;
}

interface Followed {
  readonly partitions: Set<number>;
  lastMs: number;
  /** Notifications heard before the last look at it began. */
  lookedAt: number;
}

/** A topic is looked at for so long after a reader waited for it: it is at work, and comes back. */
const followedMs = 1_000;
/** As long as that, batches are kept for readers that are still at work. */
const batchAgeMaxMs = 1_000;

/**
 * Wakes readers that have read everything, and hands them what came. A notification says only that
 * something was appended somewhere; one look then brings the new batches of all topics that are
 * read, however many readers there are and however many notifications came meanwhile.
 *
 * Nothing gets lost: a look is made when a reader begins to wait, unless one began after the last
 * notification that was heard; a notification that comes during a look makes one more after it; and
 * a timer looks where no notification arrives (the listening connection is broken, or goes through a
 * pooler that drops LISTEN).
 */
export class TailWatch implements AsyncDisposable {
  readonly #options: TailWatchOptions;
  readonly #listener: Listener;
  readonly #tail: Tail;
  readonly #waiters = new Set<Waiter>();
  readonly #followed = new Map<number, Followed>();
  /** Of this connection; 0: it can't be relied on yet. */
  #heard = 0;
  #pollTimer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #closed = false;

  constructor(options: TailWatchOptions) {
    this.#options = options;
    this.#tail = new Tail({ bytesMax: options.tailBytesMax, ageMaxMs: batchAgeMaxMs });
    const { listen, reconnectDelayMs, reconnectDelayMaxMs, metrics } = options;
    this.#listener = new Listener({
      listen,
      channel: logChannel,
      onListening: () => this.#look(),
      onHeard: () => {
        this.#heard += 1;
        this.#look();
      },
      onLost: () => {
        this.#heard = 0;
        for (const followed of this.#followed.values()) followed.lookedAt = 0;
        metrics.count("log_listener_losses_total", 1);
      },
      reconnectDelayMs,
      reconnectDelayMaxMs,
    });
  }

  /**
   * Waits until there is something before the reader; gives what it is, or undefined where the
   * reader has to fetch it (it isn't the tail, or is more than is kept), when nothing can be learnt
   * (the reader finds out why), at an abort, and when the watch is closed.
   */
  async wait(reading: Reading, signal: AbortSignal): Promise<FetchAnswer | undefined> {
    if (signal.aborted || this.#closed) return undefined;
    this.#listener.begin();
    const followed = this.#follow(reading);
    const ahead = this.#ahead(reading);
    if (ahead.state === "here") return ahead.answer;
    return new Promise((resolve) => {
      const wake = (answer: FetchAnswer | undefined): void => {
        this.#waiters.delete(waiter);
        signal.removeEventListener("abort", aborted);
        if (this.#waiters.size === 0) this.#stopPolling();
        resolve(answer);
      };
      const aborted = (): void => wake(undefined);
      const waiter: Waiter = { ...reading, wake };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", aborted);
      const looked = this.#heard > 0 && followed.lookedAt === this.#heard;
      if (!looked || ahead.state !== "nothing") this.#look();
      this.#pollTimer ??= setInterval(() => this.#look(), this.#options.pollIntervalMs);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.wake(undefined);
    await this.#looking;
    await this.#listener[Symbol.asyncDispose]();
  }

  #stopPolling(): void {
    clearInterval(this.#pollTimer);
    this.#pollTimer = undefined;
  }

  #follow({ topicNumber, next }: Reading): Followed {
    const lastMs = this.#options.clock.monotonicMs();
    const found = this.#followed.get(topicNumber);
    const followed = found ?? { partitions: new Set<number>(), lastMs, lookedAt: 0 };
    this.#followed.set(topicNumber, followed);
    followed.lastMs = lastMs;
    for (const partition of next.keys()) {
      if (followed.partitions.has(partition)) continue;
      followed.partitions.add(partition);
      followed.lookedAt = 0;
    }
    return followed;
  }

  #ahead(reading: Reading): Ahead {
    return this.#tail.ahead(reading, this.#options.clock.monotonicMs());
  }

  #look(): void {
    if (this.#waiters.size === 0) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#lookUntilQuiet();
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#lookAgain = false;
      if (this.#waiters.size === 0) break;
      await this.#lookOnce().catch(() => this.#wakeAfterFailure());
    } while (this.#lookAgain && !this.#closed);
    // In the same turn as the last look at `lookAgain`: who asks from now on begins anew.
    this.#looking = undefined;
  }

  /** Readers meet the same failure and have the bounded retries; looking again waits for the timer. */
  #wakeAfterFailure(): void {
    this.#lookAgain = false;
    for (const waiter of this.#waiters) waiter.wake(undefined);
  }

  async #lookOnce(): Promise<void> {
    this.#leave();
    const heard = this.#heard;
    const topics = new Map(this.#followed);
    const known = [...topics].flatMap(([topicNumber, { partitions }]) =>
      [...partitions].map((partition): KnownEnd => {
        const end = this.#tail.endOf(topicNumber, partition);
        return { topicNumber, partition, end };
      }),
    );
    const found = await readTail(this.#options.pool, known);
    const nowMs = this.#options.clock.monotonicMs();
    for (const one of found) this.#tail.take(one, nowMs);
    // Since the connection was lost nothing heard before it counts.
    if (heard <= this.#heard) for (const followed of topics.values()) followed.lookedAt = heard;
    for (const waiter of this.#waiters) this.#answer(waiter);
  }

  /** Who came during the look, for partitions that it left out, is answered by the next one. */
  #answer(waiter: Waiter): void {
    const ahead = this.#ahead(waiter);
    if (ahead.state === "here") waiter.wake(ahead.answer);
    if (ahead.state === "elsewhere") waiter.wake(undefined);
  }

  /** What nobody waits for, and nobody has waited for lately. */
  #leave(): void {
    const waited = new Set([...this.#waiters].map(({ topicNumber }) => topicNumber));
    const nowMs = this.#options.clock.monotonicMs();
    for (const [topicNumber, { lastMs }] of this.#followed) {
      if (waited.has(topicNumber) || nowMs - lastMs <= followedMs) continue;
      this.#followed.delete(topicNumber);
      this.#tail.leave(topicNumber);
    }
  }
}
