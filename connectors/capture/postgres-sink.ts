import type { Pool, PoolClient, QueryResult } from "pg";

import { FencedError, TransientError } from "../../engine/errors.ts";
import { lsn } from "../../engine/position.ts";
import type { CapturePosition, CaptureSink } from "../../engine/ports/capture-sink.ts";
import type { PartitionAppend } from "../../engine/ports/record-log.ts";
import { appendParameters, appendRecords, logError } from "../postgres/index.ts";
import { formatLsn, parseLsn } from "./lsn.ts";
import { captureError } from "./server/failures.ts";

export interface PostgresCaptureSinkOptions {
  /** Connections to the database of the embedded log. */
  readonly pool: Pool;
  /** Names the position; one for each replication slot. */
  readonly slot?: string;
}

const publish = `select refold.capture_publish($1, $2, $3, $4, $5, $6,
  $7::text[], $8::int4[], $9::int4[], $10::int8[], $11::int8[], $12::bytea[]) as ours`;

interface PositionRow {
  epoch: string | bigint;
  commit_lsn: string | null;
  changes_after: string | bigint;
  complete_lsn: string | null;
  incremental: string | null;
}

/** Publishes into the embedded log: records and position in one transaction, so exactly once. */
export class PostgresCaptureSink implements CaptureSink {
  readonly #pool: Pool;
  readonly #slot: string;
  #epoch = 0n;

  constructor(options: PostgresCaptureSinkOptions) {
    this.#pool = options.pool;
    this.#slot = options.slot ?? "refold";
  }

  async open(): Promise<CapturePosition | undefined> {
    const { rows } = await this.#asked<PositionRow>(
      `insert into refold.capture_position (slot) values ($1)
       on conflict (slot) do update set epoch = capture_position.epoch + 1
       returning epoch, commit_lsn::text, changes_after, complete_lsn::text, incremental`,
      [this.#slot],
    );
    const row = rows[0];
    if (!row) throw new TransientError("position-unread", "The capture's position gave no row.");
    this.#epoch = BigInt(row.epoch);
    return positionOf(row);
  }

  async position(): Promise<CapturePosition | undefined> {
    const { rows } = await this.#asked<PositionRow>(
      `select epoch, commit_lsn::text, changes_after, complete_lsn::text, incremental
       from refold.capture_position where slot = $1`,
      [this.#slot],
    );
    return rows[0] && positionOf(rows[0]);
  }

  async tables(): Promise<readonly string[] | undefined> {
    const { rows } = await this.#asked<{ tables: string[] | null }>(
      "select tables from refold.capture_position where slot = $1",
      [this.#slot],
    );
    return rows[0]?.tables ?? undefined;
  }

  async setTables(names: readonly string[]): Promise<void> {
    await this.#asked(
      `update refold.capture_position set tables = $3
       where slot = $1 and epoch = $2 and tables is distinct from $3::text[]`,
      [this.#slot, this.#epoch, names],
    );
  }

  async hasRecords(topic: string): Promise<boolean> {
    const { rows } = await this.#asked<{ any: boolean }>(
      `select exists (select from refold.log_partitions join refold.log_topics t
         using (topic_number) where t.name = $1 and end_offset > 0) as any`,
      [topic],
    );
    return rows[0]?.any === true;
  }

  async source(): Promise<string | undefined> {
    const { rows } = await this.#asked<{ source: string | null }>(
      "select source from refold.capture_position where slot = $1",
      [this.#slot],
    );
    return rows[0]?.source ?? undefined;
  }

  async setSource(identity: string): Promise<void> {
    await this.#asked(
      `update refold.capture_position set source = $3
       where slot = $1 and epoch = $2 and source is distinct from $3::text`,
      [this.#slot, this.#epoch, identity],
    );
  }

  async ensureTopic(topic: { readonly name: string; readonly partitions: number }): Promise<void> {
    await this.#asked("select refold.log_ensure_topic($1, $2, null)", [
      topic.name,
      topic.partitions,
    ]);
  }

  async publish(appends: readonly PartitionAppend[], upTo: CapturePosition): Promise<void> {
    try {
      await this.#move(this.#pool, appends, upTo);
    } catch (error) {
      throw logError(error, "Publishing");
    }
  }

  async publishSnapshot(
    parts: AsyncIterable<readonly PartitionAppend[]>,
    upTo: CapturePosition,
  ): Promise<void> {
    await this.#inTransaction(async (client) => {
      // Reading a part may take longer than an idle transaction is usually allowed.
      await client.query("begin; set local idle_in_transaction_session_timeout = 0");
      for await (const part of parts) await appendRecords(client, part);
      await this.#move(client, [], upTo);
      await client.query("select pg_notify('refold_log', '')");
    });
  }

  /** Appends and moves the position if it is still ours: one statement, so all or nothing. */
  async #move(
    on: Pool | PoolClient,
    appends: readonly PartitionAppend[],
    { commitLsn, changesAfter, completeLsn, incremental }: CapturePosition,
  ): Promise<void> {
    const { rows } = await on.query<{ ours: boolean }>({
      name: "refold.capture_publish",
      text: publish,
      values: [
        this.#slot,
        this.#epoch,
        formatLsn(Number(commitLsn)),
        changesAfter,
        completeLsn === undefined ? null : formatLsn(Number(completeLsn)),
        incremental ?? null,
        ...appendParameters(appends),
      ],
    });
    if (rows[0]?.ours === true) return;
    throw new FencedError(
      [],
      `Another capture has taken over the position of slot ${this.#slot} (ours had epoch ` +
        `${this.#epoch}).`,
    );
  }

  async #asked<Row extends object>(text: string, values: unknown[]): Promise<QueryResult<Row>> {
    try {
      return await this.#pool.query<Row>(text, values);
    } catch (error) {
      throw captureError(error, "Asking for the capture's position");
    }
  }

  async #inTransaction(work: (client: PoolClient) => Promise<void>): Promise<void> {
    const client = await this.#connect();
    let broken: unknown = new Error("not committed");
    try {
      await work(client);
      const { command } = await client.query("commit");
      // COMMIT of a failed transaction answers ROLLBACK, without an error.
      if (command !== "COMMIT") throw new TransientError("not-committed", "A publish rolled back.");
      broken = undefined;
    } catch (error) {
      throw captureError(error, "Publishing");
    } finally {
      // After an error the session ends, and its transaction with it.
      client.release(broken !== undefined);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw captureError(error, "Publishing");
    }
  }
}

function positionOf(row: PositionRow): CapturePosition | undefined {
  if (row.commit_lsn === null) return undefined;
  return {
    commitLsn: lsn(parseLsn(row.commit_lsn)),
    changesAfter: Number(row.changes_after),
    ...(row.complete_lsn === null ? {} : { completeLsn: lsn(parseLsn(row.complete_lsn)) }),
    ...(row.incremental === null ? {} : { incremental: row.incremental }),
  };
}
