/** Between two drawings: numbers that change more often can't be read, and cost. */
const restMs = 80;

/**
 * Draws in an animation frame what has changed since the last one, however much that is: a thousand
 * updates a second cost as much as twelve.
 */
export class Screen {
  readonly #draw: () => void;
  #isDue = false;
  #lastMs = 0;

  constructor(draw: () => void) {
    this.#draw = draw;
  }

  /** Something has changed. */
  change(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const restLeftMs = this.#lastMs + restMs - performance.now();
    if (restLeftMs <= 0) this.#request();
    else setTimeout(() => this.#request(), restLeftMs);
  }

  #request(): void {
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#lastMs = performance.now();
      this.#draw();
    });
    // A page in the background gets no frames; what comes meanwhile waits in the model.
  }
}
