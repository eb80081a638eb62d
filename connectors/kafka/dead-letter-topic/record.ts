import type { StoredDeadLetter } from "../../../engine/ports/dead-letters.ts";
import type { RecordHeader, RecordToAppend } from "../../../engine/ports/record-log.ts";

/**
 * Headers of a record in a topic of dead letters. What Kafka Streams tells has its names
 * (KIP-1034, Dead letter queue in Kafka Streams); what it has no names for has ours.
 */
export const letterHeaders = {
  exception: "__streams.errors.exception",
  stacktrace: "__streams.errors.stacktrace",
  message: "__streams.errors.message",
  topic: "__streams.errors.topic",
  partition: "__streams.errors.partition",
  offset: "__streams.errors.offset",
  /** The same for every record that tells of this letter. */
  id: "__refold.letter.id",
  disposition: "__refold.letter.disposition",
  consumer: "__refold.letter.consumer",
  generation: "__refold.letter.generation",
  attempts: "__refold.letter.attempts",
  /** When it got the disposition: the newest counts, where records come twice. */
  at: "__refold.letter.at",
  /** Why it was discarded. */
  reason: "__refold.letter.reason",
  /** Who has edited it: it was redriven with another value than this record's. */
  editedBy: "__refold.letter.edited-by",
  /** Of a value that was left out because the broker would refuse it. */
  valueBytes: "__refold.letter.value-bytes",
} as const;

/** Characters of an error's text that are published; all of it stays in the letter. */
const textMax = 8_000;

/** The record as it was, with what is known of the letter behind its own headers. */
export function letterRecord(letter: StoredDeadLetter, recordBytesMax: number): RecordToAppend {
  const at = dispositionAt(letter);
  const headers = [...letter.headers, ...toldHeaders(letter, at)];
  const size = sizeOf(letter, headers);
  const { key, value } = letter;
  const record = { timestampMs: at.getTime(), key, value, headers };
  if (value === null || size <= recordBytesMax) return record;
  const leftOut = text(letterHeaders.valueBytes, String(value.length));
  return { ...record, value: null, headers: [...headers, leftOut] };
}

function dispositionAt({ disposition, firstAt, lastAt, settledAt }: StoredDeadLetter): Date {
  switch (disposition) {
    case "waiting":
      return firstAt;
    case "failed":
      return lastAt;
    case "redriven":
    case "discarded":
      return settledAt ?? lastAt;
    default:
      return disposition satisfies never;
  }
}

function toldHeaders(letter: StoredDeadLetter, at: Date): RecordHeader[] {
  const { stack, reason, edit } = letter;
  return [
    text(letterHeaders.exception, letter.cause),
    text(letterHeaders.message, letter.message),
    ...(stack === undefined ? [] : [text(letterHeaders.stacktrace, stack)]),
    text(letterHeaders.topic, letter.topic),
    text(letterHeaders.partition, String(letter.partition)),
    text(letterHeaders.offset, String(letter.offset)),
    text(letterHeaders.id, String(letter.id)),
    text(letterHeaders.disposition, letter.disposition),
    text(letterHeaders.consumer, letter.consumer),
    text(letterHeaders.generation, String(letter.generation)),
    text(letterHeaders.attempts, String(letter.attempts)),
    text(letterHeaders.at, at.toISOString()),
    ...(reason === undefined ? [] : [text(letterHeaders.reason, reason)]),
    ...(edit === undefined ? [] : [text(letterHeaders.editedBy, edit.by)]),
  ];
}

const text = (name: string, value: string): RecordHeader => ({
  name,
  value: Buffer.from(value.slice(0, textMax).toWellFormed()),
});

function sizeOf({ key, value }: StoredDeadLetter, headers: readonly RecordHeader[]): number {
  const own = (key?.length ?? 0) + (value?.length ?? 0);
  return headers.reduce((sum, { name, value: of }) => sum + name.length + (of?.length ?? 0), own);
}
