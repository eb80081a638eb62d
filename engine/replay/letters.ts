import type {
  DeadLetters,
  Disposition,
  LetterCriteria,
  LetterEdit,
  StoredDeadLetter,
} from "../ports/dead-letters.ts";
import { placeOf } from "./cuts.ts";

const pageLetters = 1_000;

/** A record's value in place of its own, by what a replay meets it by: offset, or sequence. */
export type EditedValues = ReadonlyMap<string, ReadonlyMap<number, Uint8Array>>;

/** All letters of a projection with one disposition, of whichever generation, in order of id. */
export async function* lettersOf(
  letters: Pick<DeadLetters, "list">,
  consumer: string,
  disposition: Disposition,
): AsyncGenerator<StoredDeadLetter> {
  yield* pagesOf(letters, { consumer, disposition });
}

/**
 * Letters of a projection that were applied with another value than the record's, of whichever
 * generation: what is folded anew must have that value too.
 */
export async function* editedLetters(
  letters: Pick<DeadLetters, "list">,
  consumer: string,
): AsyncGenerator<StoredDeadLetter & { readonly edit: LetterEdit }> {
  for await (const one of pagesOf(letters, { consumer, disposition: "redriven", edited: true })) {
    if (one.edit !== undefined) yield { ...one, edit: one.edit };
  }
}

async function* pagesOf(
  letters: Pick<DeadLetters, "list">,
  criteria: LetterCriteria,
): AsyncGenerator<StoredDeadLetter> {
  let after = 0n;
  for (;;) {
    const page = await letters.list({ ...criteria, after, limit: pageLetters });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageLetters) return;
    after = last.id;
  }
}

/** Keeps a letter's offset, or sequence, under its `<topic>/<partition>`. */
export function addAt(
  into: Map<string, Set<number>>,
  letter: Pick<StoredDeadLetter, "topic" | "partition">,
  at: number,
): void {
  const place = placeOf(letter);
  const known = into.get(place) ?? new Set();
  into.set(place, known.add(at));
}

/** Keeps a letter's edited value under its offset, or sequence, in its `<topic>/<partition>`. */
export function putAt(
  into: Map<string, Map<number, Uint8Array>>,
  letter: Pick<StoredDeadLetter, "topic" | "partition"> & { readonly edit: LetterEdit },
  at: number,
): void {
  const place = placeOf(letter);
  const known = into.get(place) ?? new Map<number, Uint8Array>();
  into.set(place, known.set(at, letter.edit.value));
}
