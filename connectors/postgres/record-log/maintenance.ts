import { RefoldError, TransientError } from "../../../engine/errors.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import { type Metrics, noMetrics } from "../../../engine/ports/metrics.ts";
import type { PostgresRecordLog } from "./postgres-record-log.ts";

export interface LogMaintenanceOptions {
  readonly log: PostgresRecordLog;
  readonly clock: Clock;
  readonly metrics?: Metrics;
  /** Between rounds in which nothing more was found to do. */
  readonly intervalMs?: number;
  /** Between steps while there is more: what is live comes first. */
  readonly pauseMs?: number;
  /** Called once with what ended it: errors other than passing ones do. */
  readonly onFailure?: (error: RefoldError) => void;
}

/**
 * The log's housekeeping while a process runs: retention, and small batches united. Any number of
 * processes may do it at once.
 */
export class LogMaintenance implements AsyncDisposable {
  readonly #options: LogMaintenanceOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: LogMaintenanceOptions) {
    this.#options = options;
    this.#running = this.#run().catch((error: unknown) => {
      if (!(error instanceof RefoldError)) throw error;
      options.onFailure?.(error);
    });
  }

  async #run(): Promise<void> {
    const { clock, intervalMs = 10_000, pauseMs = 50 } = this.#options;
    while (!this.#stop.signal.aborted) {
      const more = await this.#round();
      await clock.sleep(more ? pauseMs : intervalMs, this.#stop.signal);
    }
  }

  /** Is there more to do at once? */
  async #round(): Promise<boolean> {
    const { log, clock, metrics = noMetrics } = this.#options;
    try {
      const freed = await log.sweep(clock.nowMs());
      const united = await log.compact();
      metrics.count("log_batches_expired_total", freed);
      metrics.count("log_batches_united_total", united);
      return freed > 0 || united > 0;
    } catch (error) {
      // The next round tries again; nothing waits for this.
      if (error instanceof TransientError) return false;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
