import { backoffMs } from "../../engine/backoff.ts";
import { TransientError } from "../../engine/errors.ts";
import type { Lsn } from "../../engine/position.ts";
import { captureSettings, type CaptureOptions, type CaptureSettings } from "./options.ts";
import { Progress } from "./progress.ts";
import { captureError } from "./server/failures.ts";
import { CaptureSession } from "./session.ts";

/**
 * Reads row changes from Postgres' write-ahead log and publishes them: outbox rows as the records
 * that they hold, rows of captured tables in Debezium's envelope. Exactly once where the sink is
 * the embedded log.
 *
 * Order: records of a partition are in the order of commits, and within a transaction in the order
 * of its changes. A broken connection is made again from the sink's position, with backoff.
 *
 * Failures of `start` and `run`: `FatalError` `wal-level`, `table-unsupported`, `table-added`,
 * `outbox-columns`, `outbox-route`, `outbox-timestamp`, `outbox-update`, `outbox-truncate`,
 * `publication-missing`, `publication-empty`, `heartbeat-action`, `text-unsupported`,
 * `slot-foreign`, `slot-lost`, `slot-advanced`, `slot-in-use`, `position-ahead`,
 * `value-unsupported`; `FencedError` when another capture took the sink; `TransientError` when the
 * server stayed away for all tries.
 */
export class EmbeddedCapture implements AsyncDisposable {
  readonly #settings: CaptureSettings;
  readonly #progress = new Progress();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  /** @throws TypeError naming every fault of the options. */
  constructor(options: CaptureOptions) {
    this.#settings = captureSettings(options);
  }

  /** Every change that the server wrote before this place of its log is published. */
  get coveredLsn(): number {
    return this.#progress.coveredLsn;
  }

  /** Where the last published transaction's commit ends. */
  get lastPublishedLsn(): Lsn | undefined {
    return this.#progress.lastPublishedLsn;
  }

  /** Records published since the start. */
  get recordsPublished(): number {
    return this.#progress.recordsPublished;
  }

  /** Settles when the capture has ended: without an error after an abort or disposal. */
  get done(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /**
   * Begins, and resolves when the slot exists and changes flow: whatever commits from now on is
   * captured. Then watch `done` for its end.
   */
  async start(signal: AbortSignal): Promise<void> {
    const streaming = Promise.withResolvers<void>();
    this.#running = this.#run(signal, streaming.resolve);
    // Whoever starts it may look at `done` only later.
    this.#running.catch(() => undefined);
    await Promise.race([streaming.promise, this.#running]);
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.start(signal);
    await this.done;
  }

  /** Publishes what is in flight, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch(() => undefined);
  }

  async #run(signal: AbortSignal, onStreaming: () => void): Promise<void> {
    const { clock, random, limits } = this.#settings;
    const until = AbortSignal.any([signal, this.#stop.signal]);
    let attempt = 0;
    while (!until.aborted) {
      const publishes = this.#progress.publishes;
      try {
        if ((await this.#session(until, onStreaming)) === "ended") return;
      } catch (error) {
        const failure = captureError(error, "Capture");
        if (!(failure instanceof TransientError)) throw failure;
        attempt = this.#progress.publishes > publishes ? 1 : attempt + 1;
        if (attempt >= limits.reconnect.attemptsMax) throw failure;
        await clock.sleep(backoffMs(attempt, limits.reconnect, random), until);
      }
    }
  }

  async #session(until: AbortSignal, onStreaming: () => void): Promise<"ended" | "stopped"> {
    await using session = new CaptureSession({
      settings: this.#settings,
      progress: this.#progress,
      onStreaming,
    });
    return await session.run(until);
  }
}
