import type { ClientBase } from "pg";

import type { RecordLog } from "../../../engine/ports/record-log.ts";
import { RecordCursor } from "../../../engine/record-batch/index.ts";

/** A row that the log tells of and that nothing in the log has removed. */
export interface ToldRow {
  readonly key: Buffer;
  readonly partition: number;
  /** The last record's value. */
  readonly value: Buffer;
}

interface LastTold {
  readonly partition: number;
  /** Null: it was removed. */
  readonly value: Buffer | null;
}

/** Told keys of the log that are looked up or removed at a time. */
const pageRows = 1_000;

/**
 * The last value of each key of a topic, in a temporary table of the session: there may be more
 * keys than memory should hold.
 */
export class ToldRows {
  readonly #client: ClientBase;

  private constructor(client: ClientBase) {
    this.#client = client;
  }

  /** Outside of a transaction that only reads: it couldn't make the table. */
  static async prepare(client: ClientBase): Promise<ToldRows> {
    await client.query(`create temporary table refold_told (
      key bytea primary key, partition int not null, value bytea)`);
    return new ToldRows(client);
  }

  /** Begins anew with what a topic tells. */
  async read(log: RecordLog, topic: string): Promise<void> {
    await this.#client.query("delete from refold_told");
    const bounds = await log.bounds(topic);
    const from = new Map(bounds.map(({ partition, start }) => [partition, start]));
    const { signal } = new AbortController();
    const cursor = new RecordCursor();
    for await (const fetch of log.read({ topic, from, until: "end", signal })) {
      for (const { partition, bytes } of fetch.partitions) {
        cursor.reset(bytes, from.get(partition) ?? 0);
        await this.#take(cursor, partition);
      }
    }
  }

  /** Takes out the keys of rows that are there. */
  async found(keys: readonly Buffer[]): Promise<void> {
    await this.#client.query("delete from refold_told where key = any ($1::bytea[])", [keys]);
  }

  /** What is left, in the order of keys. */
  async *left(): AsyncGenerator<readonly ToldRow[]> {
    let after: Buffer = Buffer.alloc(0);
    for (;;) {
      const { rows } = await this.#client.query<ToldRow>(
        `select key, partition, value from refold_told where key > $1 and value is not null
         order by key limit ${pageRows}`,
        [after],
      );
      if (rows.length > 0) yield rows;
      const last = rows.at(-1);
      if (!last || rows.length < pageRows) return;
      after = last.key;
    }
  }

  /** A record without a key is a truncation: nothing that its partition told before is left. */
  async #take(cursor: RecordCursor, partition: number): Promise<void> {
    let last = new Map<string, LastTold>();
    while (cursor.next()) {
      if (cursor.keyStart < 0) {
        last = new Map();
        await this.#client.query("delete from refold_told where partition = $1", [partition]);
        continue;
      }
      const { bytes, valueStart, valueEnd } = cursor;
      const key = bytes.toString("latin1", cursor.keyStart, cursor.keyEnd);
      const value = valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd);
      last.set(key, { partition, value });
    }
    await this.#keep(last);
  }

  async #keep(last: ReadonlyMap<string, LastTold>): Promise<void> {
    const entries = [...last];
    for (let at = 0; at < entries.length; at += pageRows) {
      const page = entries.slice(at, at + pageRows);
      await this.#client.query(
        `insert into refold_told
         select * from unnest($1::bytea[], $2::int[], $3::bytea[])
         on conflict (key) do update set partition = excluded.partition, value = excluded.value`,
        [
          page.map(([key]) => Buffer.from(key, "latin1")),
          page.map(([, { partition }]) => partition),
          page.map(([, { value }]) => value),
        ],
      );
    }
  }
}
