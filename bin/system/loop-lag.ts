/**
 * How long what a turn of the event loop comes to may have waited for it. A turn takes in all that
 * has arrived and then runs what `setImmediate` was given: what is taken in now has arrived since the
 * last turn did that.
 *
 * Turns are followed only while requests come: after one without, the next request has found the
 * loop free, as far as is known.
 */
export class LoopLag {
  #tookInMs: number | undefined;
  #asked = false;
  #following = false;

  /** To be called for each request, in milliseconds. */
  readonly ms = (): number => {
    this.#asked = true;
    if (!this.#following) {
      this.#following = true;
      setImmediate(this.#turnTaken);
    }
    return this.#tookInMs === undefined ? 0 : performance.now() - this.#tookInMs;
  };

  readonly #turnTaken = (): void => {
    this.#tookInMs = this.#asked ? performance.now() : undefined;
    this.#following = this.#asked;
    this.#asked = false;
    if (this.#following) setImmediate(this.#turnTaken);
  };
}
