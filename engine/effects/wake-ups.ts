import type { Alongside } from "../ports/alongside.ts";

/**
 * Who works on what decisions want is told here of what has become durable in its own process, and
 * needn't wait for its next look at the store. What other processes want is found by looking.
 */
export class WakeUps {
  readonly #listeners = new Set<(wanted: Alongside) => void>();

  /** For whoever has appended. */
  tell(wanted: Alongside): void {
    for (const listener of this.#listeners) listener(wanted);
  }

  /** @returns ends it. */
  listen(listener: (wanted: Alongside) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
