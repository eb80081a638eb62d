import type {
  DeadLetters,
  LetterCriteria,
  StoredDeadLetter,
} from "../../engine/ports/dead-letters.ts";
import type { LetterTrials } from "../../engine/runner/letter-trials.ts";
import type { ReadValue } from "./shape.ts";

/** What is asked and ordered about dead letters. */
export interface LetterAdministration {
  readonly deadLetters: Pick<
    DeadLetters,
    | "acts"
    | "edit"
    | "find"
    | "findOrder"
    | "groups"
    | "list"
    | "open"
    | "order"
    | "orders"
    | "stopOrder"
    | "survey"
  >;
  /** A value as JSON, by its writer's schema. @throws TransientError. */
  readonly read: (value: Uint8Array | null) => Promise<ReadValue>;
  /**
   * Frames a value, given as JSON, that is to take the place of the letter's own.
   *
   * @param schema The record's own, the newest of its type, or an id; left out: the first of these
   * that there is.
   * @throws EditFault; TransientError.
   */
  readonly encode: (
    letter: StoredDeadLetter,
    json: unknown,
    schema: "writer" | "reader" | number | undefined,
  ) => Promise<Uint8Array>;
  /**
   * What a redrive of these letters would come to: its first letters decoded and folded, without
   * writing anything. @throws TransientError.
   */
  readonly tryRedrive: (letters: LetterCriteria) => Promise<LetterTrials>;
}
