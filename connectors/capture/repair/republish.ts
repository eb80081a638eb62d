import { Client, type ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import {
  appendRecords,
  firstOffsetFrom,
  lockPartition,
  logChannel,
  skipFrom,
  type SkippedRange,
} from "../../postgres/index.ts";
import { pinnedSettings } from "../replication-connection.ts";
import { captureError } from "../server/failures.ts";
import { parseTableName, quoteTable } from "../tables/names.ts";
import { laneRecords, type LaneRange } from "./lane-rows.ts";

export interface RepublishOptions {
  /** The database of the event store, the capture's position and the embedded log. */
  readonly url: string;
  /** The capture that is paused meanwhile. */
  readonly slot: string;
  readonly outboxTables: readonly string[];
  readonly topic: string;
  readonly partition: number;
  /** The first sequence to append again. */
  readonly from: number;
  /** Rows read and appended at a time (default 5,000). */
  readonly pageRows?: number;
  /** How long a publish in flight is waited for (default 30,000). */
  readonly lockTimeoutMs?: number;
}

export interface Republished {
  readonly skipped: SkippedRange;
  /** The lane's last sequence that was appended. */
  readonly to: number;
  readonly records: number;
}

/**
 * Mends a lane of the embedded log out of its store: what the log has from a sequence on is skipped
 * by all readers from now on, and the lane is appended anew from there to its end. One transaction,
 * so all of it or nothing.
 *
 * The capture is paused by the lock on its position's row: its next publish waits for it. What it
 * then publishes of the lane may stand in the log already; readers drop it by its sequence.
 *
 * Failures: `FatalError` `capture-unknown`, `lane-unknown`, `sequence-unknown`, `lane-broken` (the
 * store itself lacks events), `topic-unknown`, `partition-unknown`; `TransientError`.
 */
export async function republish(options: RepublishOptions): Promise<Republished> {
  const client = new Client({
    connectionString: options.url,
    application_name: "refold republish",
    options: pinnedSettings,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(`begin; set local lock_timeout = ${options.lockTimeoutMs ?? 30_000}`);
    const done = await republishWithin(client, options);
    await client.query("commit");
    return done;
  } catch (error) {
    throw captureError(error, "Appending the lane again");
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function republishWithin(client: Client, options: RepublishOptions): Promise<Republished> {
  const { topic, partition, from, slot, pageRows = 5_000 } = options;
  await pauseCapture(client, slot);
  const range = await storedRange(client, options);
  const place = await lockPartition(client, topic, partition);
  const first = await firstOffsetFrom(client, place, from);
  const reason = `republished from sequence ${from}`;
  const skipped = await skipFrom(client, place, { from: first ?? place.end, reason });
  let records = 0;
  for await (const part of laneRecords(client, range, pageRows)) {
    for (const append of part) records += append.records.length;
    await appendRecords(client, part);
  }
  if (records !== range.to - from + 1) throw laneBroken(range, records);
  await client.query(`select pg_notify('${logChannel}', '')`);
  return { skipped, to: range.to, records };
}

/** The order of locks is a publish's own: the position first, then the log's partitions. */
async function pauseCapture(client: ClientBase, slot: string): Promise<void> {
  const { rows } = await client.query(
    "select 1 from refold.capture_position where slot = $1 for update",
    [slot],
  );
  if (rows.length > 0) return;
  throw new FatalError(
    "capture-unknown",
    `No capture has ever published from slot ${slot}, so that its lanes hold nothing to mend.`,
    "Start the capture: it publishes all events from the first on.",
  );
}

/** Where the lane's rows are, from the sequence asked for to the last one. */
async function storedRange(client: ClientBase, options: RepublishOptions): Promise<LaneRange> {
  const { outboxTables, topic, partition, from } = options;
  for (const table of outboxTables) {
    const { rows } = await client.query<{ first: string | null; last: string | null }>(
      `select min(sequence)::text as first, max(sequence)::text as last
       from ${quoteTable(parseTableName(table))} where topic = $1 and partition = $2`,
      [topic, partition],
    );
    const [row] = rows;
    if (!row || row.first === null || row.last === null) continue;
    const to = Number(row.last);
    if (from < Number(row.first) || from > to) throw sequenceUnknown(options, row);
    return { table, topic, partition, from, to };
  }
  throw new FatalError(
    "lane-unknown",
    `No event of ${topic}/${partition} stands in ${outboxTables.join(" or ")}.`,
    "Check the lane's name: refold log topics lists the topics with their partitions.",
  );
}

function sequenceUnknown(
  { topic, partition, from }: RepublishOptions,
  { first, last }: { first: string | null; last: string | null },
): FatalError {
  return new FatalError(
    "sequence-unknown",
    `The store has sequences ${first} to ${last} of ${topic}/${partition}, and not ${from}.`,
    "Begin with one of these; notices are deleted after their topic's retention.",
  );
}

function laneBroken({ table, topic, partition, from, to }: LaneRange, found: number): FatalError {
  return new FatalError(
    "lane-broken",
    `${table} has ${found} rows of ${topic}/${partition} between sequences ${from} and ${to}, ` +
      `which are ${to - from + 1}: the store itself lacks some, and nothing was appended.`,
    "Restore the store from a backup that has them, and begin a new log.",
  );
}
