import type { Random } from "../ports/clock.ts";
import type { SnapshotRow } from "../ports/read-model-snapshots.ts";

/** Some keys of a series of unknown length, each as likely as any other (reservoir sampling). */
export class KeySample {
  readonly keys: string[] = [];
  readonly #size: number;
  readonly #random: Random;
  #seen = 0;

  constructor(size: number, random: Random) {
    this.#size = size;
    this.#random = random;
  }

  add(page: readonly SnapshotRow[]): void {
    for (const { key } of page) {
      this.#seen += 1;
      if (this.keys.length < this.#size) {
        this.keys.push(key);
        continue;
      }
      const at = Math.floor(this.#random.next() * this.#seen);
      if (at < this.#size) this.keys[at] = key;
    }
  }
}
