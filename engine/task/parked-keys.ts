import type { FatalError } from "../errors.ts";
import type { Disposition, ParkedKey } from "../ports/dead-letters.ts";
import type { SettledLetter } from "./letter-order.ts";
import { tooManyFailed, tooManyWait } from "./dead-letter.ts";

export interface LettersMax {
  readonly failedLettersMax: number;
  readonly waitingLettersMax: number;
}

interface Parked {
  /** Offset of the key's first letter; -1: from before. */
  since: number;
  letters: number;
}

interface RecentLetter {
  readonly key: string | undefined;
  readonly offset: number;
  readonly disposition: "failed" | "waiting";
}

/**
 * The keys of one partition that have open letters, and how many letters there are. What a flush
 * has not made durable yet is remembered apart, so that it can be taken back.
 */
export class ParkedKeys {
  readonly #keys = new Map<string, Parked>();
  /** Letters that are not durable, in order of being set aside. */
  #recent: RecentLetter[] = [];
  #failed = 0;
  #waiting = 0;
  #redriven = 0;

  /** Begins with what the store has. */
  reset(known: readonly ParkedKey[]): void {
    this.#keys.clear();
    this.#recent = [];
    this.#failed = 0;
    this.#waiting = 0;
    for (const { key, failed, waiting } of known) {
      this.#failed += failed;
      this.#waiting += waiting;
      if (key !== null) this.#keys.set(keyText(key), { since: -1, letters: failed + waiting });
    }
  }

  /** Keys that are parked. */
  get size(): number {
    return this.#keys.size;
  }

  /** Open letters, of records without a key too. */
  get letters(): number {
    return this.#failed + this.#waiting;
  }

  /** Letters that were applied after all: what was folded without them before isn't the row any more. */
  get redriven(): number {
    return this.#redriven;
  }

  /** Is there room for another letter of each kind? */
  fits(max: LettersMax): boolean {
    return this.#failed < max.failedLettersMax && this.#waiting < max.waitingLettersMax;
  }

  /** Must the key's record at this offset wait? Not where only a later one has failed. */
  has(key: string, offset: number): boolean {
    const parked = this.#keys.get(key);
    return parked !== undefined && parked.since < offset;
  }

  add(letter: RecentLetter): void {
    this.#recent.push(letter);
    this.#count(letter.disposition, 1);
    if (letter.key === undefined) return;
    const parked = this.#keys.get(letter.key);
    if (parked === undefined) this.#keys.set(letter.key, { since: letter.offset, letters: 1 });
    else {
      parked.letters += 1;
      parked.since = Math.min(parked.since, letter.offset);
    }
  }

  /** Letters below this offset are durable. */
  commit(nextOffset: number): void {
    if (this.#recent.length === 0) return;
    this.#recent = this.#recent.filter(({ offset }) => offset >= nextOffset);
  }

  /** What a durable flush has made of letters that were durable before. */
  settle(settled: readonly SettledLetter[]): void {
    for (const { letter, settlement } of settled) {
      this.#count(letter.disposition, -1);
      this.#count(settlement.disposition, 1);
      if (settlement.disposition === "redriven") this.#redriven += 1;
      if (isOpen(settlement.disposition) || letter.key === null) continue;
      this.#forget(keyText(letter.key));
    }
  }

  /**
   * Takes back what isn't durable from an offset on: the records are met again, and set aside for
   * what they do then.
   */
  rewind(fromOffset = 0): void {
    const lost = this.#recent.filter(({ offset }) => offset >= fromOffset);
    for (const letter of lost) {
      this.#count(letter.disposition, -1);
      if (letter.key !== undefined) this.#forget(letter.key);
    }
    this.#recent = this.#recent.filter(({ offset }) => offset < fromOffset);
  }

  #count(disposition: Disposition, by: number): void {
    if (disposition === "failed") this.#failed += by;
    if (disposition === "waiting") this.#waiting += by;
  }

  /** The key has one open letter less. */
  #forget(key: string): void {
    const parked = this.#keys.get(key);
    if (parked === undefined) return;
    parked.letters -= 1;
    if (parked.letters === 0) this.#keys.delete(key);
  }

  /** What to halt with where there are as many letters of the kind as may be. */
  fullOf(
    disposition: "failed" | "waiting",
    { partition, max }: { readonly partition: string; readonly max: LettersMax },
  ): FatalError | undefined {
    const { failedLettersMax, waitingLettersMax } = max;
    if (disposition === "failed") {
      return this.#failed < failedLettersMax
        ? undefined
        : tooManyFailed(partition, failedLettersMax);
    }
    return this.#waiting < waitingLettersMax
      ? undefined
      : tooManyWait(partition, waitingLettersMax);
  }
}

const isOpen = (disposition: Disposition): boolean =>
  disposition === "failed" || disposition === "waiting";

/** A key's bytes as text; no two different byte strings give the same. */
export const keyText = (key: Uint8Array): string => Buffer.from(key).toString("latin1");
