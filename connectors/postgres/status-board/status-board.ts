import type { Pool } from "pg";

import { offset } from "../../../engine/position.ts";
import type { BoardEntry, StatusBoard, TaskReport } from "../../../engine/ports/status-board.ts";
import {
  float8Array,
  int4Array,
  int8Array,
  int8ArrayOfNumbers,
  textArray,
} from "../binary-array.ts";
import { commit, inTransaction, runStatement } from "../transaction.ts";

interface StatusRow {
  readonly instance: string;
  readonly consumer: string;
  readonly kind: BoardEntry["kind"];
  readonly generation: number | null;
  readonly topic: string;
  readonly partition: number;
  readonly state: BoardEntry["state"];
  readonly next_offset: bigint;
  readonly parked_keys: number;
  readonly records_per_second: number;
  readonly last_recorded_at_ms: bigint | null;
  readonly current_as_of_ms: bigint | null;
  readonly reason: string | null;
  readonly reported_at: Date;
  /** NULL: no store follows. */
  readonly following_rows: number | null;
  readonly following_reason: string | null;
}

export interface PostgresStatusBoardOptions {
  readonly pool: Pool;
  /** Reports of instances that have been silent for longer are deleted: they are gone. */
  readonly silentMs?: number;
}

/** The status board in a table that every instance writes its part of. */
export class PostgresStatusBoard implements StatusBoard {
  readonly #pool: Pool;
  readonly #silentMs: number;

  constructor(options: PostgresStatusBoardOptions) {
    this.#pool = options.pool;
    this.#silentMs = options.silentMs ?? 24 * 3_600_000;
  }

  async report(instance: string, reports: readonly TaskReport[]): Promise<void> {
    await inTransaction(this.#pool, "Reporting on the status board", async (client) => {
      // Two reports of one instance at once would each delete only what stood before both.
      await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [
        `refold status ${instance}`,
      ]);
      await client.query(reportStatement, [instance, this.#silentMs, ...columnsOf(reports)]);
      return commit(undefined);
    });
  }

  async read(): Promise<readonly BoardEntry[]> {
    const rows = await runStatement<StatusRow>(this.#pool, {
      doing: "Reading the status board",
      stage: "preparing",
      text: `select * from refold.task_status
        order by consumer, generation, topic, partition, instance`,
    });
    return rows.map(boardEntry);
  }
}

/** One statement: the rows that are deleted are those of its snapshot, before the new ones. */
const reportStatement = `with gone as (
    delete from refold.task_status
    where instance = $1::text
      or reported_at < clock_timestamp() - $2::float8 * interval '1 millisecond'
  )
  insert into refold.task_status (instance, reported_at, consumer, kind, generation, topic,
    partition, state, next_offset, parked_keys, records_per_second, last_recorded_at_ms,
    current_as_of_ms, reason, following_rows, following_reason)
  select $1::text, clock_timestamp(), r.*
  from unnest($3::text[], $4::text[], $5::int4[], $6::text[], $7::int4[], $8::text[], $9::int8[],
    $10::int4[], $11::float8[], $12::int8[], $13::int8[], $14::text[], $15::int4[], $16::text[])
    as r`;

function columnsOf(reports: readonly TaskReport[]): Buffer[] {
  return [
    textArray(reports.map(({ consumer }) => consumer)),
    textArray(reports.map(({ kind }) => kind)),
    int4Array(reports.map(({ generation }) => generation)),
    textArray(reports.map(({ topic }) => topic)),
    int4Array(reports.map(({ partition }) => partition)),
    textArray(reports.map(({ state }) => state)),
    int8Array(reports.map(({ nextOffset }) => nextOffset)),
    int4Array(reports.map(({ parkedKeys }) => parkedKeys)),
    float8Array(reports.map(({ recordsPerSecond }) => recordsPerSecond)),
    int8ArrayOfNumbers(reports.map(({ lastRecordedAtMs }) => lastRecordedAtMs)),
    int8ArrayOfNumbers(reports.map(({ currentAsOfMs }) => currentAsOfMs)),
    textArray(reports.map(({ reason }) => storable(reason))),
    int4Array(reports.map(({ following }) => following?.rowsWaiting)),
    textArray(reports.map(({ following }) => storable(following?.reason))),
  ];
}

/** Postgres holds neither NUL nor half a surrogate pair. */
const storable = (text: string | undefined): string | undefined =>
  text?.replaceAll("\0", "\uFFFD").toWellFormed();

const whole = (value: bigint | null): number | undefined =>
  value === null ? undefined : Number(value);

function boardEntry(row: StatusRow): BoardEntry {
  const { following_rows: rowsWaiting, following_reason: why } = row;
  return {
    instance: row.instance,
    consumer: row.consumer,
    kind: row.kind,
    generation: row.generation ?? undefined,
    topic: row.topic,
    partition: row.partition,
    state: row.state,
    nextOffset: offset(row.next_offset),
    parkedKeys: row.parked_keys,
    recordsPerSecond: row.records_per_second,
    lastRecordedAtMs: whole(row.last_recorded_at_ms),
    currentAsOfMs: whole(row.current_as_of_ms),
    reason: row.reason ?? undefined,
    reportedAtMs: row.reported_at.getTime(),
    ...(rowsWaiting === null ? {} : { following: { rowsWaiting, reason: why ?? undefined } }),
  };
}
