import type { Pool } from "pg";

import type {
  DeadLetters,
  Disposition,
  LetterAsk,
  LetterCount,
  LetterFilter,
  LetterPlace,
  LetterSelection,
  LettersOfKey,
  ParkedKey,
  StoredDeadLetter,
} from "../../../engine/ports/dead-letters.ts";
import { int8Array } from "../binary-array.ts";
import { runStatement } from "../transaction.ts";
import { type LetterRow, storedLetter } from "./stored-letter.ts";

const isOpen = "disposition in ('failed', 'waiting')";
const atPlace = "consumer = $1 and generation = $2 and topic = $3 and partition = $4";

/** Reads the dead letters that flushes wrote, and writes down what operators ask for. */
export class PostgresDeadLetters implements DeadLetters {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  async parked(place: LetterPlace): Promise<readonly ParkedKey[]> {
    const rows = await this.#run<{ key: Buffer | null; failed: bigint; waiting: bigint }>(
      `select key, count(*) filter (where disposition = 'failed') as failed,
         count(*) filter (where disposition = 'waiting') as waiting
       from refold.dead_letters where ${atPlace} and ${isOpen} group by key`,
      placeValues(place),
    );
    return rows.map(({ key, failed, waiting }) => ({
      key,
      failed: Number(failed),
      waiting: Number(waiting),
    }));
  }

  async open(of: LettersOfKey, limit: number): Promise<readonly StoredDeadLetter[]> {
    const rows = await this.#run<LetterRow>(
      `select * from refold.dead_letters
       where ${atPlace} and key is not distinct from $5 and ${isOpen}
         and (key is not null or asked is not null)
       order by "offset" limit $6`,
      [...placeValues(of), of.key, limit],
    );
    return rows.map(storedLetter);
  }

  /** The rows are locked in order of id, as settlements lock them. */
  async ask(letters: LetterSelection, ask: LetterAsk, limit: number): Promise<readonly bigint[]> {
    const rows = await this.#run<{ id: bigint }>(
      `with meant as materialized (
         select id from refold.dead_letters
         where disposition = 'failed' and ($1::int8 is null or id = $1)
           and ($2::text is null or consumer = $2)
         order by id limit $3 for update
       ), asked as (
         update refold.dead_letters d set asked = $4, asked_reason = $5, asks = asks + 1
         from meant where d.id = meant.id returning d.id
       )
       select id from asked order by id`,
      [
        letters.kind === "one" ? letters.id : null,
        letters.kind === "consumer" ? letters.consumer : null,
        limit,
        ask.action,
        ask.reason ?? null,
      ],
    );
    return rows.map(({ id }) => id);
  }

  asked(limit: number): Promise<readonly LettersOfKey[]> {
    return this.#run<LettersOfKey>(
      `select consumer, generation, topic, partition, key from refold.dead_letters
       where asked is not null
       group by consumer, generation, topic, partition, key order by min(id) limit $1`,
      [limit],
    );
  }

  async unanswered(ids: readonly bigint[]): Promise<number> {
    const rows = await this.#run<{ count: bigint }>(
      `select count(*) from refold.dead_letters where id = any($1::int8[]) and asked is not null`,
      [int8Array(ids)],
    );
    return Number(rows[0]?.count ?? 0);
  }

  async find(id: bigint): Promise<StoredDeadLetter | undefined> {
    const [row] = await this.#run<LetterRow>(`select * from refold.dead_letters where id = $1`, [
      id,
    ]);
    return row && storedLetter(row);
  }

  async list(filter: LetterFilter): Promise<readonly StoredDeadLetter[]> {
    const { after = 0n, consumer = null, disposition = null, limit } = filter;
    const rows = await this.#run<LetterRow>(
      `select * from refold.dead_letters
       where id > $1 and ($2::text is null or consumer = $2)
         and ($3::text is null or disposition = $3)
       order by id limit $4`,
      [after, consumer, disposition, limit],
    );
    return rows.map(storedLetter);
  }

  async counts(): Promise<readonly LetterCount[]> {
    const rows = await this.#run<{
      consumer: string;
      disposition: Disposition;
      letters: bigint;
      keys: bigint;
    }>(
      `select consumer, disposition, sum(letters)::int8 as letters,
         count(*) filter (where key is not null) as keys
       from (
         select consumer, disposition, key, count(*) as letters from refold.dead_letters
         group by consumer, generation, topic, partition, disposition, key
       ) as keys
       group by consumer, disposition order by consumer, disposition`,
    );
    return rows.map((row) => ({
      ...row,
      letters: Number(row.letters),
      keys: Number(row.keys),
    }));
  }

  #run<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return runStatement<Row>(this.#pool, {
      doing: "Reading the dead letters",
      stage: "preparing",
      text,
      values,
    });
  }
}

const placeValues = ({ consumer, generation, topic, partition }: LetterPlace) => [
  consumer,
  generation,
  topic,
  partition,
];
