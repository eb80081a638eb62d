import type { PoolClient } from "pg";

import type { DeadLetter } from "../../../engine/ports/dead-letters.ts";
import { byteaArray, textArray } from "../binary-array.ts";

/** What Postgres' text can't hold is replaced: a letter is written, whatever its error says. */
const writable = (text: string): string => text.replaceAll("\0", "\uFFFD").toWellFormed();

/** Sets records aside inside the caller's transaction, after its fences. */
export async function insertDeadLetters(
  client: PoolClient,
  letters: readonly DeadLetter[],
): Promise<void> {
  for (const letter of letters) {
    await client.query({
      name: "refold.insert_dead_letter",
      text: `insert into refold.dead_letters (consumer, topic, partition, "offset", timestamp_ms,
          key, value, header_names, header_values, disposition, cause, message, stack)
        values ($1, $2, $3, $4, $5, $6, $7, $8::text[], $9::bytea[], $10, $11, $12, $13)`,
      values: [
        letter.consumer,
        letter.topic,
        letter.partition,
        letter.offset,
        letter.timestampMs,
        letter.key,
        letter.value,
        textArray(letter.headers.map(({ name }) => writable(name))),
        byteaArray(letter.headers.map(({ value }) => value)),
        letter.disposition,
        letter.cause,
        writable(letter.message),
        letter.stack === undefined ? null : writable(letter.stack),
      ],
    });
  }
}
