import { backoffMs, type BackoffOptions } from "../backoff.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Deadline } from "../ports/deadlines.ts";

export interface TroubledDeadlinesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly backoff: Pick<BackoffOptions, "initialMs" | "maxMs">;
  readonly troubledMax: number;
}

interface Trouble {
  readonly failures: number;
  readonly againAtMs: number;
  readonly reason: string;
}

/** Reasons that are told one by one. */
const reasonsMax = 3;

/** Deadlines that have passed and whose decisions fail: they wait, and others go by. */
export class TroubledDeadlines {
  readonly #options: TroubledDeadlinesOptions;
  readonly #troubled = new Map<string, Trouble>();

  constructor(options: TroubledDeadlinesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#troubled.size;
  }

  add(deadline: Deadline, reason: string): void {
    const { clock, random, backoff } = this.#options;
    const failures = (this.#troubled.get(nameOf(deadline))?.failures ?? 0) + 1;
    const waitMs = backoffMs(failures, { ...backoff, attemptsMax: Infinity }, random);
    const againAtMs = clock.monotonicMs() + Math.max(backoff.initialMs, waitMs);
    this.#troubled.set(nameOf(deadline), { failures, againAtMs, reason });
  }

  remove(deadline: Deadline): void {
    this.#troubled.delete(nameOf(deadline));
  }

  /** Those that aren't due any more were cancelled, or decided elsewhere. */
  keepOnly(due: readonly Deadline[]): void {
    if (this.#troubled.size === 0) return;
    const names = new Set(due.map(nameOf));
    for (const name of this.#troubled.keys()) if (!names.has(name)) this.#troubled.delete(name);
  }

  mayTry(deadline: Deadline): boolean {
    const trouble = this.#troubled.get(nameOf(deadline));
    if (trouble) return trouble.againAtMs <= this.#options.clock.monotonicMs();
    return this.#troubled.size < this.#options.troubledMax;
  }

  reasons(): readonly string[] {
    const told = [...this.#troubled].slice(0, reasonsMax);
    const more = this.#troubled.size - told.length;
    const texts = told.map(([name, { failures, reason }]) => {
      return `the deadline ${name} can't be decided (tries: ${failures}): ${reason}`;
    });
    return more > 0 ? [...texts, `and ${more} deadlines more`] : texts;
  }
}

const nameOf = ({ name, key, atMs }: Deadline): string => `${name}/${key} at ${atMs}`;
