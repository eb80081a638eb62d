import type { Clock, Random } from "../ports/clock.ts";

interface Sleeper {
  readonly untilMs: number;
  readonly order: number;
  wake(): void;
}

/** A clock that stands still until it is told to move: the reference for tests. */
export class ManualClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  #ordinal = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** How many wait on this clock. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Moves time on and wakes those whose time has come, earliest first. */
  advance(ms: number): void {
    this.#nowMs += ms;
    this.#elapsedMs += ms;
    const due = [...this.#sleepers].filter((sleeper) => sleeper.untilMs <= this.#elapsedMs);
    due.sort((one, other) => one.untilMs - other.untilMs || one.order - other.order);
    for (const sleeper of due) sleeper.wake();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const untilMs = this.#elapsedMs + ms;
      const sleeper = { untilMs, order: (this.#ordinal += 1), wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", wake);
    });
  }
}

/** Reproducible numbers (Mulberry32 by Tommy Ettinger, public domain) and counted ids. */
export class SeededRandom implements Random {
  #state: number;
  #ids = 0;

  constructor(seed = 1) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  id(): string {
    this.#ids += 1;
    const tail = Math.floor(this.next() * 2 ** 48);
    const count = this.#ids.toString(16).padStart(12, "0");
    const head = `${count.slice(0, 8)}-${count.slice(8)}`;
    return `${head}-7000-8000-${tail.toString(16).padStart(12, "0")}`;
  }
}
