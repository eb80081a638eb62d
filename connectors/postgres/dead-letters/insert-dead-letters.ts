import type { PoolClient } from "pg";

import type { DeadLetter, LetterSource } from "../../../engine/ports/dead-letters.ts";
import { letterFacts } from "../../../engine/task/letter-facts.ts";
import {
  byteaArray,
  int4Array,
  int8Array,
  int8ArrayOfNumbers,
  textArray,
} from "../binary-array.ts";

/** What Postgres' text can't hold is replaced: a letter is written, whatever its error says. */
export const writable = (text: string): string => text.replaceAll("\0", "\uFFFD").toWellFormed();

/**
 * All letters of a flush at once. Headers come flat, each with its letter's place in the list:
 * an array of arrays would have to be rectangular.
 */
const statement = `with h as (
    select letter, array_agg(name order by i) as names, array_agg(value order by i) as bytes
    from unnest($22::int4[], $23::text[], $24::bytea[]) with ordinality as h (letter, name, value, i)
    group by letter
  )
  insert into refold.dead_letters (consumer, generation, topic, partition, "offset", timestamp_ms,
    key, value, disposition, cause, message, stack, source_kind, incarnation, sequence,
    change_lsn, change_order, attempts, event_type, correlation_id, schema_id, header_names,
    header_values)
  select l.consumer, l.generation, l.topic, l.partition, l."offset", l.timestamp_ms,
    l.key, l.value, l.disposition, l.cause, l.message, l.stack, l.source_kind, l.incarnation,
    l.sequence, l.change_lsn, l.change_order, l.attempts, l.event_type, l.correlation_id,
    l.schema_id, coalesce(h.names, '{}'), coalesce(h.bytes, '{}')
  from unnest($1::text[], $2::int4[], $3::text[], $4::int4[], $5::int8[], $6::int8[], $7::bytea[],
      $8::bytea[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
      $15::int8[], $16::int8[], $17::int8[], $18::int4[], $19::text[], $20::text[], $21::int8[])
      with ordinality
    as l (consumer, generation, topic, partition, "offset", timestamp_ms, key, value, disposition,
      cause, message, stack, source_kind, incarnation, sequence, change_lsn, change_order, attempts,
      event_type, correlation_id, schema_id, place)
    left join h on h.letter = l.place
  order by l.place`;

/** Sets records aside inside the caller's transaction, after its fences. */
export async function insertDeadLetters(
  client: PoolClient,
  letters: readonly DeadLetter[],
): Promise<void> {
  if (letters.length === 0) return;
  const name = "refold.insert_dead_letters";
  await client.query({ name, text: statement, values: [...columns(letters), ...headers(letters)] });
}

function columns(letters: readonly DeadLetter[]): Buffer[] {
  const lanes = letters.map(({ source }) => ofKind(source, "lane"));
  const changes = letters.map(({ source }) => ofKind(source, "change"));
  const facts = letters.map(letterFacts);
  return [
    textArray(letters.map(({ consumer }) => consumer)),
    int4Array(letters.map(({ generation }) => generation)),
    textArray(letters.map(({ topic }) => topic)),
    int4Array(letters.map(({ partition }) => partition)),
    int8Array(letters.map(({ offset }) => offset)),
    int8ArrayOfNumbers(letters.map(({ timestampMs }) => timestampMs)),
    byteaArray(letters.map(({ key }) => key)),
    byteaArray(letters.map(({ value }) => value)),
    textArray(letters.map(({ disposition }) => disposition)),
    textArray(letters.map(({ cause }) => cause)),
    textArray(letters.map(({ message }) => writable(message))),
    textArray(letters.map(({ stack }) => stack && writable(stack))),
    textArray(letters.map(({ source }) => source.kind)),
    textArray(lanes.map((lane) => lane?.incarnation)),
    int8Array(lanes.map((lane) => lane?.sequence)),
    int8Array(changes.map((change) => change?.commitLsn)),
    int8ArrayOfNumbers(changes.map((change) => change?.order)),
    int4Array(letters.map(({ disposition }) => (disposition === "failed" ? 1 : 0))),
    textArray(facts.map(({ type }) => type && writable(type))),
    textArray(facts.map(({ correlationId }) => correlationId && writable(correlationId))),
    int8ArrayOfNumbers(facts.map(({ schemaId }) => schemaId)),
  ];
}

function headers(letters: readonly DeadLetter[]): Buffer[] {
  const all = letters.flatMap((letter, at) =>
    letter.headers.map(({ name, value }) => ({ place: at + 1, name: writable(name), value })),
  );
  return [
    int4Array(all.map(({ place }) => place)),
    textArray(all.map(({ name }) => name)),
    byteaArray(all.map(({ value }) => value)),
  ];
}

function ofKind<Kind extends LetterSource["kind"]>(
  source: LetterSource,
  kind: Kind,
): Extract<LetterSource, { kind: Kind }> | undefined {
  return source.kind === kind ? (source as Extract<LetterSource, { kind: Kind }>) : undefined;
}
