import type { Clock } from "../ports/clock.ts";
import type { SkippedOffsets, SkippedOffsetsSource } from "../ports/skipped-offsets.ts";

export interface KnownSkipsOptions {
  readonly source: SkippedOffsetsSource;
  readonly clock: Clock;
  /** How old an answer may be. */
  readonly ageMaxMs: number;
}

/** The ranges as all readings of a process share them, asked for once in a while. */
export class KnownSkips {
  readonly #options: KnownSkipsOptions;
  #ranges: readonly SkippedOffsets[] | undefined;
  #askedAtMs = 0;
  #asking: Promise<readonly SkippedOffsets[]> | undefined;

  constructor(options: KnownSkipsOptions) {
    this.#options = options;
  }

  /** The same array as before while nothing was asked in between. */
  async current(): Promise<readonly SkippedOffsets[]> {
    const { clock, ageMaxMs } = this.#options;
    if (this.#ranges && clock.monotonicMs() - this.#askedAtMs < ageMaxMs) return this.#ranges;
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /**
   * Where there is an older answer it does for another while: who reads what is to be skipped sees a
   * hole in its sequences, and never takes it for the truth.
   */
  async #ask(): Promise<readonly SkippedOffsets[]> {
    const { source, clock } = this.#options;
    try {
      this.#ranges = await source.ranges();
    } catch (error) {
      if (!this.#ranges) throw error;
    }
    this.#askedAtMs = clock.monotonicMs();
    return this.#ranges;
  }
}
