import { surroundingsOf } from "../../api/dead-letters/surroundings.ts";
import { wholeLetterShape } from "../../api/dead-letters/shape.ts";
import type { StoredDeadLetter } from "../../engine/ports/dead-letters.ts";
import { application } from "../system/definitions.ts";
import { letterAdministration, type LetterStores } from "./administration.ts";

/** A letter with all that is told of it. */
export async function wholeLetter(stores: LetterStores, letter: StoredDeadLetter) {
  const admin = letterAdministration(stores, application);
  return wholeLetterShape(letter, await surroundingsOf(admin, letter));
}
