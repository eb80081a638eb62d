import type { Pool } from "pg";

import type { LetterFeed, StoredDeadLetter } from "../../../engine/ports/dead-letters.ts";
import { int8Array, textArray } from "../binary-array.ts";
import { commit, inTransaction, rollback } from "../transaction.ts";
import { type LetterRow, storedLetter } from "./stored-letter.ts";

/** Key of the advisory lock that the publisher holds; the event store has others. */
const publisherLock = 0x52464c44;

/** Bytes of the letters that are published at once; the first comes whatever its size. */
const bytesMax = 4 * 1024 * 1024;

/**
 * Publishes from the letters themselves: each remembers the disposition that was published last, so
 * that ids which become visible out of order are not passed by. A session that hangs is ended by the
 * server after 5 s, and its letters come again.
 */
export class PostgresLetterFeed implements LetterFeed {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  /** See `LetterFeed`. @throws TransientError; what `publish` rejects with. */
  publish(
    limit: number,
    publish: (letters: readonly StoredDeadLetter[]) => Promise<void>,
  ): Promise<number | "elsewhere"> {
    return inTransaction(this.#pool, "Publishing dead letters", async (client) => {
      const lock = "select pg_try_advisory_xact_lock($1, 0) as taken";
      const { rows: locks } = await client.query<{ taken: boolean }>(lock, [publisherLock]);
      if (locks[0]?.taken !== true) return rollback<number | "elsewhere">("elsewhere");
      const { rows } = await client.query<LetterRow>(unpublished, [limit, bytesMax]);
      if (rows.length === 0) return rollback<number | "elsewhere">(0);
      await publish(rows.map(storedLetter));
      await client.query(
        `update refold.dead_letters d set published = p.disposition
         from unnest($1::int8[], $2::text[]) as p (id, disposition) where d.id = p.id`,
        [
          int8Array(rows.map(({ id }) => id)),
          textArray(rows.map(({ disposition }) => disposition)),
        ],
      );
      return commit<number | "elsewhere">(rows.length);
    });
  }
}

const unpublished = `with news as (
    select id, row_number() over w as n,
      sum(coalesce(octet_length(coalesce(edited_value, value)), 0)) over w as bytes
    from (
      select id, value, edited_value from refold.dead_letters
      where published is distinct from disposition order by id limit $1
    ) as first
    window w as (order by id)
  )
  select d.* from news join refold.dead_letters d on d.id = news.id
  where news.n = 1 or news.bytes <= $2 order by d.id`;
