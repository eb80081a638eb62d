import type { DeadLetters, Disposition, StoredDeadLetter } from "../ports/dead-letters.ts";
import { placeOf } from "./cuts.ts";

const pageLetters = 1_000;

/** All letters of a projection with one disposition, of whichever generation, in order of id. */
export async function* lettersOf(
  letters: Pick<DeadLetters, "list">,
  consumer: string,
  disposition: Disposition,
): AsyncGenerator<StoredDeadLetter> {
  let after = 0n;
  for (;;) {
    const page = await letters.list({ consumer, disposition, after, limit: pageLetters });
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
