import type { Pool } from "pg";

import type { Clock } from "../../engine/ports/clock.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import { EndHistory } from "../../engine/runner/end-history.ts";

export interface CaptureLagOptions {
  readonly pool: Pick<Pool, "query">;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Every change before it is published, as far as the capture knows. */
  readonly coveredLsn: () => number;
}

/**
 * How far the capture is behind the server's own end of the write-ahead log, which is asked for
 * apart from the capture: one that hangs or has halted is seen as a growing lag.
 */
export class CaptureLag {
  readonly #options: CaptureLagOptions;
  readonly #ends = new EndHistory();
  /** When nothing was known to wait; undefined before the first look. */
  #currentAtMs: number | undefined;
  #lagMs: number | undefined;

  constructor(options: CaptureLagOptions) {
    this.#options = options;
  }

  get lagMs(): number | undefined {
    return this.#lagMs;
  }

  /** While the server can't be asked, the time goes on growing, and the bytes stand. */
  async look(): Promise<void> {
    try {
      await this.#compare();
    } finally {
      this.#tellSeconds();
    }
  }

  async #compare(): Promise<void> {
    const { pool, metrics, clock, coveredLsn } = this.#options;
    const { rows } = await pool.query<{ lsn: string }>(
      "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text as lsn",
    );
    const end = Number(rows[0]?.lsn);
    const nowMs = clock.nowMs();
    const covered = coveredLsn();
    this.#ends.note(end, nowMs);
    this.#currentAtMs = this.#ends.passedAtMs(covered) ?? nowMs;
    this.#ends.forget(covered);
    metrics.gauge("capture_lag_bytes", Math.max(0, end - covered));
  }

  #tellSeconds(): void {
    if (this.#currentAtMs === undefined) return;
    const { clock, metrics } = this.#options;
    this.#lagMs = Math.max(0, clock.nowMs() - this.#currentAtMs);
    metrics.gauge("capture_lag_seconds", this.#lagMs / 1_000);
  }
}
