import type { Client } from "pg";

import {
  appendRecords,
  firstOffsetFrom,
  lockPartition,
  logChannel,
  skipFrom,
  type SkippedRange,
} from "../../postgres/index.ts";
import { laneRecords } from "./lane-rows.ts";
import { mendWithin, pauseCapture } from "./mending.ts";
import { laneBroken, storedRange } from "./stored-lane.ts";

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
export function republish(options: RepublishOptions): Promise<Republished> {
  return mendWithin(options, (client) => republishWithin(client, options));
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
