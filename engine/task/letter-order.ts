import type { RecordError } from "../errors.ts";
import type {
  Disposition,
  LetterAsk,
  LetterSettlement,
  StoredDeadLetter,
} from "../ports/dead-letters.ts";
import { stackOf } from "./dead-letter.ts";

/** A letter that was decoded again: where it is staged, or what kept it from that. */
export interface TriedLetter {
  readonly how: "try";
  readonly letter: StoredDeadLetter;
  /** undefined: it failed, or nothing of it concerns the definition. */
  readonly at: number | undefined;
  readonly error: RecordError | undefined;
}

/** To be discarded, so not decoded. */
export interface DroppedLetter {
  readonly how: "drop";
  readonly letter: StoredDeadLetter;
}

/** The chunk is full: it asks for the walk to be taken up here. */
export interface LaterLetter {
  readonly how: "later";
  readonly letter: StoredDeadLetter;
  readonly asking: LetterAsk;
}

export type Attempt = TriedLetter | DroppedLetter | LaterLetter;

export type Dispatched =
  { readonly how: "try"; readonly letter: StoredDeadLetter } | DroppedLetter | LaterLetter;

/** Bounds of one walk through a key's letters. */
export interface WalkMax {
  readonly tries: number;
  /** The key has more letters than these: the last one is the first of the next walk. */
  readonly isCut: boolean;
}

export interface SettledLetter {
  readonly letter: StoredDeadLetter;
  readonly settlement: LetterSettlement;
}

/** What is to be done with each of a key's letters, before it is known how it goes. */
export function dispatched(letters: readonly StoredDeadLetter[], max: WalkMax): Dispatched[] {
  let tries = 0;
  let dropping: LetterAsk | undefined;
  return letters.map((letter, index) => {
    const { asked, key } = letter;
    if (key !== null && asked?.action === "discard-with-parked") dropping = asked;
    const isNext = max.isCut && index === letters.length - 1;
    if (isNext) return { how: "later", letter, asking: asked ?? dropping ?? redriveOn };
    if (dropping !== undefined) return { how: "drop", letter };
    if (asked !== undefined && asked.action !== "redrive") return { how: "drop", letter };
    tries += 1;
    if (tries <= max.tries) return { how: "try", letter };
    return { how: "later", letter, asking: redriveOn };
  });
}

const redriveOn: LetterAsk = { action: "redrive", reason: undefined };

/**
 * Goes through a key's letters in order and says what becomes of each:
 *
 * - one that is to be discarded is left out, wherever it stands;
 * - one that failed is tried where that was asked for, and stops the walk otherwise;
 * - one that waits is tried when everything before it is settled;
 * - the first that fails again stops the walk: what comes after goes on waiting;
 * - where the chunk ends, the next letter asks for the walk to be taken up there.
 *
 * Records without a key wait for nobody: each is for itself, and tried only where that was asked.
 *
 * @param apply Folds a decoded letter; gives what the fold threw, and has changed nothing then.
 */
export function settleInOrder(
  attempts: readonly Attempt[],
  apply: (attempt: TriedLetter) => RecordError | undefined,
): SettledLetter[] {
  const walk = new LetterWalk(apply);
  for (const attempt of attempts) walk.pass(attempt);
  return walk.settled;
}

class LetterWalk {
  readonly settled: SettledLetter[] = [];
  readonly #apply: (attempt: TriedLetter) => RecordError | undefined;
  #state: "going" | "stopped" | "interrupted" = "going";
  /** Why the letters behind are discarded with the one that was asked for. */
  #dropReason: string | undefined;

  constructor(apply: (attempt: TriedLetter) => RecordError | undefined) {
    this.#apply = apply;
  }

  pass(attempt: Attempt): void {
    const { letter } = attempt;
    if (attempt.how === "drop") return this.#drop(letter);
    // What is discarded goes on wherever it stands.
    if (attempt.how === "later" && attempt.asking.action !== "redrive") return this.#later(attempt);
    if (letter.key === null) {
      if (letter.asked !== undefined) this.#try(attempt);
      return;
    }
    if (this.#state === "interrupted") return;
    if (letter.disposition === "failed" && letter.asked === undefined) this.#state = "stopped";
    if (this.#state === "going") return this.#try(attempt);
    // It can't be tried before the one that stopped the walk: the wish is answered with that.
    if (letter.asked !== undefined) this.#settle(letter, letter.disposition, {});
  }

  #drop(letter: StoredDeadLetter): void {
    if (letter.asked && letter.asked.action !== "redrive") this.#dropReason = letter.asked.reason;
    this.#settle(letter, "discarded", { reason: this.#dropReason });
  }

  #later({ letter, asking }: LaterLetter): void {
    this.#state = "interrupted";
    if (letter.asked === undefined) this.#settle(letter, letter.disposition, { asking });
  }

  #try(attempt: TriedLetter | LaterLetter): void {
    if (attempt.how === "later") return this.#later(attempt);
    const { letter } = attempt;
    const error = attempt.error ?? this.#apply(attempt);
    this.#settle(letter, error ? "failed" : "redriven", { tries: 1, error });
    if (error !== undefined && letter.key !== null) this.#state = "stopped";
  }

  #settle(
    letter: StoredDeadLetter,
    disposition: Disposition,
    more: {
      readonly tries?: number;
      readonly error?: RecordError | undefined;
      readonly reason?: string | undefined;
      readonly asking?: LetterAsk;
    },
  ): void {
    const { tries = 0, error, reason, asking } = more;
    const failure = error && { cause: error.code, message: error.message, stack: stackOf(error) };
    const { id, asks } = letter;
    const settlement = { id, disposition, tries, failure, reason, asks, asking };
    this.settled.push({ letter, settlement });
  }
}
