import type { StoredDeadLetter } from "../../engine/ports/dead-letters.ts";
import type { LetterAdministration } from "./administration.ts";
import type { LetterSurroundings } from "./shape.ts";

/** Acts that are told of one letter. */
const actsMax = 1_000;

/** What is told of a letter beside itself. @throws TransientError. */
export async function surroundingsOf(
  { deadLetters, read }: Pick<LetterAdministration, "deadLetters" | "read">,
  letter: StoredDeadLetter,
): Promise<LetterSurroundings> {
  const isInFront = letter.disposition === "failed" && letter.key !== null;
  const survey = isInFront ? await deadLetters.survey({ id: letter.id }, 1) : undefined;
  return {
    value: await read(letter.value),
    edited: letter.edit && (await read(letter.edit.value)),
    waitingBehind: survey?.waiting ?? 0,
    acts: await deadLetters.acts(letter.id, actsMax),
  };
}
