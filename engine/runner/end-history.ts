interface Sample {
  readonly end: number;
  readonly atMs: number;
}

/**
 * When a log was seen to grow, so that the age of a place in it can be told without reading its
 * records. Bounded: when it is full, every second sample goes, and ages of long stalls get coarser
 * by one interval, never younger.
 */
export class EndHistory {
  readonly #samplesMax: number;
  #samples: Sample[] = [];
  #lookedAtMs: number | undefined;

  /** @param samplesMax At least 2. */
  constructor(samplesMax = 512) {
    this.#samplesMax = Math.max(2, samplesMax);
  }

  /**
   * Notes the end that a look found.
   *
   * @param newestMs Time of the log's last record. One that was given before the last look (a log
   * with historical times) says nothing of when it came, and that look's time stands for it.
   */
  note(end: number, atMs: number, newestMs: number = atMs): void {
    const since = this.#lookedAtMs ?? atMs;
    this.#lookedAtMs = atMs;
    const last = this.#samples.at(-1);
    if (last && end <= last.end) return;
    this.#samples.push({ end, atMs: Math.min(atMs, Math.max(since, newestMs)) });
    if (this.#samples.length > this.#samplesMax) {
      // The newer of two neighbours would make what lies between them younger than it is.
      this.#samples = this.#samples.flatMap((sample, at) => {
        const next = this.#samples[at + 1];
        return at % 2 === 0 ? [{ end: next?.end ?? sample.end, atMs: sample.atMs }] : [];
      });
    }
  }

  /** When the log was first seen to reach beyond `place`; undefined: it was not yet. */
  passedAtMs(place: number): number | undefined {
    return this.#samples.find((sample) => sample.end > place)?.atMs;
  }

  /** Samples below `place` are of no more use. */
  forget(place: number): void {
    const first = this.#samples.findIndex((sample) => sample.end > place);
    if (first < 0) this.#samples = this.#samples.slice(-1);
    else if (first > 0) this.#samples = this.#samples.slice(first);
  }
}
