import type { Clock } from "../ports/clock.ts";
import type { RebuildProgress } from "../ports/rebuilds.ts";
import type { Governor } from "./governor.ts";

export interface ProgressOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Written down at most once in so long. */
  readonly intervalMs: number;
  readonly note: (progress: RebuildProgress) => Promise<void>;
  /** As it was written down by whoever conducted before. */
  readonly before: RebuildProgress | undefined;
}

/** How far a rebuild is, written down now and then. */
export class Progress {
  readonly #options: ProgressOptions;
  #told: RebuildProgress;
  #toldAtMs: number;
  /** Of governors before the one at work, and of conductors before this one. */
  #throttledMs: number;
  #lagMaxMs: number;
  #governor: Governor | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#told = options.before ?? nothingYet;
    this.#toldAtMs = options.clock.monotonicMs();
    this.#throttledMs = this.#told.throttledMs;
    this.#lagMaxMs = this.#told.liveLagMaxMs;
  }

  /** Writes it down if it is time to. */
  async tell(done: number, total: number, governor: Governor | undefined): Promise<void> {
    const { clock, intervalMs } = this.#options;
    if (clock.monotonicMs() - this.#toldAtMs < intervalMs) return;
    await this.tellNow(done, total, governor);
  }

  /** Writes it down whatever the time: the last of a fill stays for whoever looks later. */
  async tellNow(done: number, total: number, governor: Governor | undefined): Promise<void> {
    const { clock, note } = this.#options;
    const elapsedMs = Math.max(1, clock.monotonicMs() - this.#toldAtMs);
    this.#succeed(governor);
    const moved = Math.max(0, done - this.#told.done);
    const progress: RebuildProgress = {
      done,
      total: Math.max(done, total),
      recordsPerSecond: Math.round((moved * 1_000) / elapsedMs),
      liveLagMs: governor?.lagMs ?? 0,
      liveLagMaxMs: Math.max(this.#lagMaxMs, governor?.lagMaxMs ?? 0),
      throttledMs: this.#throttledMs + (governor?.throttledMs ?? 0),
      waiting: undefined,
    };
    await this.#note(progress, note);
  }

  /** Says why it gets no further; undefined: it does. Nothing new isn't written. */
  async waits(waiting: string | undefined): Promise<void> {
    if (this.#told.waiting === waiting) return;
    await this.#note({ ...this.#told, recordsPerSecond: 0, waiting }, this.#options.note);
  }

  /** What the governor before has counted stays. */
  #succeed(governor: Governor | undefined): void {
    if (governor === this.#governor) return;
    this.#throttledMs += this.#governor?.throttledMs ?? 0;
    this.#lagMaxMs = Math.max(this.#lagMaxMs, this.#governor?.lagMaxMs ?? 0);
    this.#governor = governor;
  }

  async #note(
    progress: RebuildProgress,
    note: (progress: RebuildProgress) => Promise<void>,
  ): Promise<void> {
    await note(progress);
    this.#told = progress;
    this.#toldAtMs = this.#options.clock.monotonicMs();
  }
}

const nothingYet: RebuildProgress = {
  done: 0,
  total: 0,
  recordsPerSecond: 0,
  liveLagMs: 0,
  liveLagMaxMs: 0,
  throttledMs: 0,
};
