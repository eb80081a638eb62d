import type { DeadLetters, Disposition, StoredDeadLetter } from "../ports/dead-letters.ts";
import { addAt, editedLetters, type EditedValues, lettersOf, putAt } from "../replay/letters.ts";

/** Records that a generation has not folded as they are, by `<topic>/<partition>`. */
export interface PassedOver {
  readonly offsets: ReadonlyMap<string, ReadonlySet<number>>;
  /** The same records by their sequences, where they have some. */
  readonly sequences: ReadonlyMap<string, ReadonlySet<number>>;
  /** Values that records were applied with in place of their own. */
  readonly edited: { readonly byOffset: EditedValues; readonly bySequence: EditedValues };
}

export const nothingPassedOver: PassedOver = {
  offsets: new Map(),
  sequences: new Map(),
  edited: { byOffset: new Map(), bySequence: new Map() },
};

/**
 * Records that operators have left out, whichever generation set them aside, and those that wait as
 * open letters of this one (undefined: of any): its rows lack them too.
 *
 * @throws TransientError.
 */
export async function passedOver(
  letters: Pick<DeadLetters, "list"> | undefined,
  of: { readonly projection: string; readonly generation: number | undefined },
): Promise<PassedOver> {
  if (letters === undefined) return nothingPassedOver;
  const offsets = new Map<string, Set<number>>();
  const sequences = new Map<string, Set<number>>();
  const dispositions: readonly Disposition[] = ["discarded", "failed", "waiting"];
  for (const disposition of dispositions) {
    for await (const letter of lettersOf(letters, of.projection, disposition)) {
      if (disposition !== "discarded" && !isOf(letter, of.generation)) continue;
      addAt(offsets, letter, Number(letter.offset));
      const { source } = letter;
      if (source.kind === "lane") addAt(sequences, letter, Number(source.sequence));
    }
  }
  return { offsets, sequences, edited: await editedOf(letters, of.projection) };
}

async function editedOf(
  letters: Pick<DeadLetters, "list">,
  projection: string,
): Promise<PassedOver["edited"]> {
  const byOffset = new Map<string, Map<number, Uint8Array>>();
  const bySequence = new Map<string, Map<number, Uint8Array>>();
  for await (const letter of editedLetters(letters, projection)) {
    putAt(byOffset, letter, Number(letter.offset));
    const { source } = letter;
    if (source.kind === "lane") putAt(bySequence, letter, Number(source.sequence));
  }
  return { byOffset, bySequence };
}

/** Is everything that was passed over `before` still passed over? */
export const covers = (now: PassedOver, before: PassedOver): boolean =>
  [...before.offsets].every(([place, offsets]) =>
    [...offsets].every((at) => now.offsets.get(place)?.has(at)),
  );

const isOf = (letter: StoredDeadLetter, generation: number | undefined): boolean =>
  generation === undefined || letter.generation === generation;
