/** Percentiles of what was kept, exactly: some ten thousand numbers need no histogram. */
export class Latencies {
  readonly #ms: number[] = [];
  #sorted = true;

  add(ms: number): void {
    this.#ms.push(ms);
    this.#sorted = false;
  }

  get count(): number {
    return this.#ms.length;
  }

  /**
   * The least of the numbers that so many percent of all don't exceed (nearest rank).
   *
   * @param percent From 0 to 100.
   */
  percentile(percent: number): number {
    if (!this.#sorted) this.#ms.sort((one, other) => one - other);
    this.#sorted = true;
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#ms.length));
    return this.#ms[rank - 1] ?? 0;
  }
}
