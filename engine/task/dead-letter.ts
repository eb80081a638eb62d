import { FatalError, RecordError } from "../errors.ts";
import { offset } from "../position.ts";
import type { DeadLetter } from "../ports/dead-letters.ts";
import type { RecordCursor } from "../record-batch/cursor.ts";
import type { TaskPartition } from "./task-partition.ts";

/** The record that the cursor stands at, set aside with the reason. */
export function deadLetter(
  cursor: RecordCursor,
  source: TaskPartition,
  letter: { consumer: string; error: RecordError | undefined },
): DeadLetter {
  const { timestampMs, key, value, headers } = cursor.record();
  const { topic, partition } = source;
  const { consumer, error } = letter;
  const record = { consumer, topic, partition, offset: offset(cursor.offset), timestampMs };
  return {
    ...record,
    key,
    value,
    headers,
    disposition: error ? "failed" : "waiting",
    cause: error?.code ?? "waiting",
    message: error?.message ?? "An earlier record of this key is a dead letter.",
    stack: error?.stack,
  };
}

export function tooManyWait(source: TaskPartition, max: number): FatalError {
  return new FatalError(
    "waiting-letters",
    `More than ${max} records of ${source.name} wait behind dead letters.`,
    "Settle the dead letters, or raise waitingLettersMax, and start again.",
  );
}

/** What a fold throws is the record's fault, unless it says otherwise. */
export function foldError(error: unknown, source: TaskPartition, at: number): RecordError {
  if (error instanceof RecordError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RecordError(
    "fold",
    `The fold of the record at ${source.name} offset ${at} threw: ${message}`,
    { cause: error },
  );
}
