import type { Alongside } from "../ports/alongside.ts";
import type { StoredEffect } from "../ports/effect-ledger.ts";

/** First tries that can be leased to this process at present. */
export interface Room {
  readonly effects: number;
  readonly leaseMs: number;
}

/** Of the next effect of a kind: the lease with which its first try can begin; undefined: none can. */
export type Leases = (kind: string) => number | undefined;

/** Makes tries that begin as their effects are requested. */
export interface Beginner {
  room(): Room;
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

  /**
   * For the effects of appends that are made together: of each kind no more are leased than there is
   * room for now. Those of other appends that are under way may take the same room.
   */
  leases(): Leases {
    const left = new Map<string, number>();
    const rooms = new Map<string, Room>();
    return (kind) => {
      const room = rooms.get(kind) ?? this.#beginners.get(kind)?.room();
      if (room === undefined) return undefined;
      rooms.set(kind, room);
      const free = left.get(kind) ?? room.effects;
      left.set(kind, free - 1);
      return free > 0 ? room.leaseMs : undefined;
    };
  }

  /**
   * For whoever has appended.
   *
   * @param begun Those of the effects whose first try has begun.
   */
  tell(wanted: Alongside, begun: readonly StoredEffect[] = []): void {
    const { effects = [], ...others } = wanted;
    if (begun.length > 0) this.#begin(begun);
    const waiting = effects.length > begun.length ? { effects } : {};
    for (const listener of this.#listeners) listener({ ...others, ...waiting });
  }

  #begin(begun: readonly StoredEffect[]): void {
    for (const [kind, some] of Map.groupBy(begun, (effect) => effect.kind)) {
      this.#beginners.get(kind)?.begin(some);
    }
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
