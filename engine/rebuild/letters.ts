import type { DeadLetters } from "../ports/dead-letters.ts";
import { addAt, editedLetters, type EditedValues, lettersOf, putAt } from "../replay/letters.ts";

/**
 * Records of a projection that operators have left out, in whichever generation, by
 * `<topic>/<partition>`: a rebuild passes over them as the live task did.
 */
export async function discardedLetters(
  deadLetters: DeadLetters | undefined,
  consumer: string,
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const discarded = new Map<string, Set<number>>();
  if (deadLetters === undefined) return discarded;
  for await (const letter of lettersOf(deadLetters, consumer, "discarded")) {
    addAt(discarded, letter, Number(letter.offset));
  }
  return discarded;
}

/**
 * Records of a projection that were applied with another value, by offset: a rebuild folds what was
 * applied.
 */
export async function editedValues(
  deadLetters: DeadLetters | undefined,
  consumer: string,
): Promise<EditedValues> {
  const edited = new Map<string, Map<number, Uint8Array>>();
  if (deadLetters === undefined) return edited;
  for await (const letter of editedLetters(deadLetters, consumer)) {
    putAt(edited, letter, Number(letter.offset));
  }
  return edited;
}

/** Letters of one generation that are neither redriven nor discarded. */
export async function openLetters(
  deadLetters: DeadLetters | undefined,
  of: {
    readonly consumer: string;
    readonly generation: number;
    readonly places: readonly { readonly topic: string; readonly partition: number }[];
  },
): Promise<number> {
  if (deadLetters === undefined) return 0;
  const { consumer, generation } = of;
  let open = 0;
  for (const { topic, partition } of of.places) {
    for (const key of await deadLetters.parked({ consumer, generation, topic, partition })) {
      open += key.failed + key.waiting;
    }
  }
  return open;
}
