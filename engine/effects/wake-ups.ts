import type { Alongside } from "../ports/alongside.ts";
import type { StoredEffect } from "../ports/effect-ledger.ts";

/** Makes tries that begin as their effects are requested. */
export interface Beginner {
  /** Of a try that begins now; undefined: it can make no more at present. */
  leaseMs(): number | undefined;
  /** Makes their first tries. They have begun: what it can't make it gives back. */
  begin(effects: readonly StoredEffect[]): void;
}

/**
 * Who works on what decisions want is told here of what has become durable in its own process, and
 * needn't wait for its next look at the store. What other processes want is found by looking.
 */
export class WakeUps {
  readonly #listeners = new Set<(wanted: Alongside) => void>();
  readonly #beginners = new Map<string, Beginner>();

  /** Whether, and how long, a try of an effect of the kind can be leased to this process. */
  readonly leaseMs = (kind: string): number | undefined => this.#beginners.get(kind)?.leaseMs();

  /**
   * For whoever has appended.
   *
   * @param begun Those of the effects whose first try has begun.
   */
  tell(wanted: Alongside, begun: readonly StoredEffect[] = []): void {
    const { effects = [], ...others } = wanted;
    for (const [kind, some] of Map.groupBy(begun, (effect) => effect.kind)) {
      this.#beginners.get(kind)?.begin(some);
    }
    const waiting = effects.length > begun.length ? { effects } : {};
    for (const listener of this.#listeners) listener({ ...others, ...waiting });
  }

  /** @returns ends it. */
  listen(listener: (wanted: Alongside) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The first tries of effects of a kind are made by `beginner`, from now on. */
  beginWith(kind: string, beginner: Beginner): void {
    this.#beginners.set(kind, beginner);
  }
}
