import type { Clock } from "../../engine/ports/clock.ts";
import type { AccessLimits, SessionEnding } from "./contract.ts";

export interface EndedSessionsOptions {
  readonly clock: Clock;
  readonly limits: Pick<AccessLimits, "sessionMs" | "skewMs" | "endedSessionsMax">;
}

interface Ended {
  readonly how: SessionEnding;
  readonly untilMs: number;
}

type Listener = (how: SessionEnding) => void;

/**
 * Sessions that have ended, each until its tokens are refused for their own time, and who waits for
 * the end of one. When there are too many to remember, it says so until all of them would have been
 * forgotten: what isn't known must not pass for nothing having happened.
 */
export class EndedSessions {
  readonly #options: EndedSessionsOptions;
  /** In the order of their ends, but for clocks that differ. */
  readonly #ended = new Map<string, Ended>();
  readonly #listeners = new Map<string, Set<Listener>>();
  #incompleteUntilMs = -Infinity;

  constructor(options: EndedSessionsOptions) {
    this.#options = options;
  }

  endOf(sessionId: string): SessionEnding | undefined {
    return this.#ended.get(sessionId)?.how;
  }

  /** False while one that has ended may pass for one that hasn't. */
  get complete(): boolean {
    return this.#options.clock.monotonicMs() >= this.#incompleteUntilMs;
  }

  ended(sessionId: string, how: SessionEnding): void {
    const known = this.#ended.get(sessionId);
    if (known === undefined) this.#keep(sessionId, how);
    for (const listener of this.#listeners.get(sessionId) ?? []) listener(how);
    this.#listeners.delete(sessionId);
  }

  watch(sessionId: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(sessionId) ?? new Set();
    this.#listeners.set(sessionId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      const stored = this.#listeners.get(sessionId);
      if (stored === listeners && listeners.size === 0) this.#listeners.delete(sessionId);
    };
  }

  #keep(sessionId: string, how: SessionEnding): void {
    const { clock, limits } = this.#options;
    this.#forgetOver();
    const nowMs = clock.monotonicMs();
    // What was revoked had at most a whole session before it; of what expired, only clocks differ.
    const leftMs = (how === "revoked" ? limits.sessionMs : 0) + 2 * limits.skewMs;
    const untilMs = nowMs + leftMs;
    if (this.#ended.size < limits.endedSessionsMax) this.#ended.set(sessionId, { how, untilMs });
    else this.#incompleteUntilMs = Math.max(this.#incompleteUntilMs, untilMs);
  }

  #forgetOver(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [sessionId, { untilMs }] of this.#ended) {
      if (untilMs > nowMs) return;
      this.#ended.delete(sessionId);
    }
  }
}
