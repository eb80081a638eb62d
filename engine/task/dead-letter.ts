import { FatalError, RecordError } from "../errors.ts";
import { offset } from "../position.ts";
import type { DeadLetter, LetterSource } from "../ports/dead-letters.ts";
import type { RecordCursor } from "../record-batch/cursor.ts";

/** Who sets a record aside, and why; without an error it waits behind another of its key. */
export interface LetterCause {
  readonly consumer: string;
  readonly generation: number;
  readonly source: LetterSource;
  readonly error: RecordError | undefined;
}

/** The record that the cursor stands at, set aside with the reason. */
export function deadLetter(
  cursor: RecordCursor,
  at: { readonly topic: string; readonly partition: number },
  letter: LetterCause,
): DeadLetter {
  const { topic, partition } = at;
  const { consumer, generation, source, error } = letter;
  const record = { ...cursor.record(), offset: offset(cursor.offset), source };
  const place = { consumer, generation, topic, partition };
  return {
    ...place,
    ...record,
    disposition: error ? "failed" : "waiting",
    cause: error?.code ?? "waiting",
    message: error?.message ?? "An earlier record of this key is a dead letter.",
    stack: error && stackOf(error),
  };
}

/** Where it happened; of a fold's own error where the fold threw. */
export function stackOf(error: RecordError): string | undefined {
  const { cause } = error;
  return cause instanceof Error && cause.stack !== undefined
    ? `${error.stack ?? error.message}\nCaused by: ${cause.stack}`
    : error.stack;
}

export function tooManyWait(partition: string, max: number): FatalError {
  return new FatalError(
    "waiting-letters",
    `More than ${max} records of ${partition} wait behind dead letters.`,
    "Redrive or discard the letters in front of them (refold dlq list); the partition then goes on.",
  );
}

export function tooManyFailed(partition: string, max: number): FatalError {
  return new FatalError(
    "failed-letters",
    `More than ${max} records of ${partition} have failed: the fault is hardly theirs.`,
    "Correct the definition or the producer, redrive or discard the letters (refold dlq list); " +
      "the partition then goes on.",
  );
}

/** What a fold throws is the record's fault, unless it says otherwise. */
export function foldError(error: unknown, source: string, at: number): RecordError {
  if (error instanceof RecordError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RecordError(
    "fold",
    `The fold of the record at ${source} offset ${at} threw: ${message}`,
    { cause: error },
  );
}
