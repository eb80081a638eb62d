import type { Pool } from "pg";

import { offset } from "../../../engine/position.ts";
import type {
  DeadLetter,
  DeadLetters,
  StoredDeadLetter,
} from "../../../engine/ports/dead-letters.ts";
import { runStatement } from "../transaction.ts";

interface LetterRow {
  readonly id: bigint;
  readonly at: Date;
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp_ms: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly header_names: string[];
  readonly header_values: (Buffer | null)[];
  readonly disposition: DeadLetter["disposition"];
  readonly cause: string;
  readonly message: string;
  readonly stack: string | null;
}

/** Reads the dead letters that flushes wrote. */
export class PostgresDeadLetters implements DeadLetters {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  async parkedKeys(
    consumer: string,
    topic: string,
    partition: number,
  ): Promise<ReadonlySet<string>> {
    const rows = await this.#read<{ key: Buffer }>(
      `select distinct key from refold.dead_letters
       where consumer = $1 and topic = $2 and partition = $3 and key is not null`,
      [consumer, topic, partition],
    );
    return new Set(rows.map(({ key }) => key.toString("utf8")));
  }

  async list(options: {
    readonly consumer?: string;
    readonly after?: bigint;
    readonly limit: number;
  }): Promise<readonly StoredDeadLetter[]> {
    const rows = await this.#read<LetterRow>(
      `select * from refold.dead_letters
       where id > $1 and ($2::text is null or consumer = $2) order by id limit $3`,
      [options.after ?? 0n, options.consumer ?? null, options.limit],
    );
    return rows.map(storedLetter);
  }

  async counts(): Promise<readonly { consumer: string; disposition: string; letters: number }[]> {
    const rows = await this.#read<{ consumer: string; disposition: string; letters: bigint }>(
      `select consumer, disposition, count(*) as letters from refold.dead_letters
       group by consumer, disposition order by consumer, disposition`,
    );
    return rows.map((row) => ({ ...row, letters: Number(row.letters) }));
  }

  #read<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return runStatement<Row>(this.#pool, {
      doing: "Reading the dead letters",
      stage: "preparing",
      text,
      values,
    });
  }
}

function storedLetter(row: LetterRow): StoredDeadLetter {
  const { header_names, header_values, timestamp_ms, stack, ...rest } = row;
  return {
    ...rest,
    offset: offset(row.offset),
    timestampMs: Number(timestamp_ms),
    headers: header_names.map((name, index) => ({ name, value: header_values[index] ?? null })),
    stack: stack ?? undefined,
  };
}
