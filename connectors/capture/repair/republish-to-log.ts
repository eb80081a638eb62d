import type { ClientBase } from "pg";

import { TransientError } from "../../../engine/errors.ts";
import { offset } from "../../../engine/position.ts";
import type { RecordLog } from "../../../engine/ports/record-log.ts";
import { partitionUnknown, topicUnknown } from "../../../engine/record-log/faults.ts";
import { skipOffsets } from "../../postgres/index.ts";
import { parseTableName, quoteTable } from "../tables/names.ts";
import { laneRecords, type LaneRange } from "./lane-rows.ts";
import { firstFrom, readsWhole, type LanePlace } from "./log-lane.ts";
import { mendWithin, pauseCapture } from "./mending.ts";
import type { Republished } from "./republish.ts";
import { laneBroken, storedRange } from "./stored-lane.ts";

export interface RepublishToLogOptions {
  /** The database of the event store and of the ranges that are skipped. */
  readonly url: string;
  /** As readers see it: what it skips already is not looked at again. */
  readonly log: RecordLog;
  /** The embedded capture that is paused meanwhile; left out: the caller has paused who publishes. */
  readonly slot?: string;
  readonly outboxTables: readonly string[];
  readonly topic: string;
  readonly partition: number;
  /** The first sequence to append again. */
  readonly from: number;
  /** Rows read and appended at a time (default 5,000). */
  readonly pageRows?: number;
  /** How long a publish in flight, and appends to the store, are waited for (default 30,000). */
  readonly lockTimeoutMs?: number;
  /** How often the lane is appended when others publish into it meanwhile (default 5). */
  readonly attemptsMax?: number;
}

/**
 * Mends a lane of a log outside of the store's database, which can't take records back: the lane is
 * appended from the sequence to its end, and then what the log had of it from there on is recorded as
 * skipped. A crash before that leaves records that stand there twice or a hole as before, and the
 * same may be asked again.
 *
 * A capture appends before it moves its position, so that one publish may still come in between
 * when its position is locked: the lane is read back, and appended once more behind what came.
 *
 * Failures: `FatalError` `capture-unknown`, `lane-unknown`, `sequence-unknown`, `lane-broken` (the
 * store itself lacks events), `topic-unknown`, `partition-unknown`; `TransientError` (`lane-busy`:
 * somebody goes on publishing into the lane).
 */
export function republishToLog(options: RepublishToLogOptions): Promise<Republished> {
  return mendWithin(options, (client) => republishWithin(client, options));
}

async function republishWithin(
  client: ClientBase,
  options: RepublishToLogOptions,
): Promise<Republished> {
  const { log, topic, partition, from, slot, attemptsMax = 5 } = options;
  if (slot !== undefined) await pauseCapture(client, slot);
  const wanted = await storedRange(client, options);
  const topicId = await topicIdOf(log, topic);
  const place: LanePlace = { log, topic, partition, sequence: from };
  const first = await firstFrom(place, await recordedAtMs(client, wanted));
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const end = await endOf(place);
    await untilAppendsAreSeen(client, wanted.table);
    const range = await storedRange(client, options);
    const records = await appendLane(client, range, options);
    if (!(await readsWhole(place, { start: end, last: range.to }))) continue;
    const skipped = { topic, partition, from: first ?? end, to: end };
    const asOffsets = { topicId, from: offset(skipped.from), to: offset(end) };
    await skipOffsets(client, { ...skipped, ...asOffsets }, `republished from sequence ${from}`);
    return { skipped, to: range.to, records };
  }
  throw new TransientError(
    "lane-busy",
    `Others published into ${topic}/${partition} each of the ${attemptsMax} times that it was ` +
      "appended. End what publishes there beside the capture that is set, and republish again.",
  );
}

async function topicIdOf(log: RecordLog, name: string): Promise<string> {
  const topics = await log.topics();
  const found = topics.find((topic) => topic.name === name);
  if (found) return found.id;
  throw topicUnknown(
    name,
    topics.map((topic) => topic.name),
  );
}

async function endOf({ log, topic, partition }: LanePlace): Promise<number> {
  const bounds = await log.bounds(topic);
  const found = bounds.find((one) => one.partition === partition);
  if (!found) throw partitionUnknown(topic, partition, bounds.length);
  return Number(found.end);
}

/** Records carry it, and their times never go back: the lane's first one to mend isn't before it. */
async function recordedAtMs(client: ClientBase, range: LaneRange): Promise<number> {
  const { rows } = await client.query<{ ms: string }>(
    `select floor(extract(epoch from recorded_at) * 1000)::text as ms
     from ${quoteTable(parseTableName(range.table))}
     where topic = $1 and partition = $2 and sequence = $3`,
    [range.topic, range.partition, range.from],
  );
  return Number(rows[0]?.ms ?? 0);
}

/**
 * A commit may be decoded, and so published, a moment before others see it: waits for the appends
 * that are under way, so that the store shows at least what the log had.
 */
async function untilAppendsAreSeen(client: ClientBase, table: string): Promise<void> {
  const name = quoteTable(parseTableName(table));
  await client.query(
    `savepoint seen; lock table ${name} in share mode; rollback to savepoint seen`,
  );
}

async function appendLane(
  client: ClientBase,
  range: LaneRange,
  { log, pageRows = 5_000 }: RepublishToLogOptions,
): Promise<number> {
  const wanted = range.to - range.from + 1;
  const { rows } = await client.query<{ count: string }>(
    `select count(*)::text as count from ${quoteTable(parseTableName(range.table))}
     where topic = $1 and partition = $2 and sequence between $3 and $4`,
    [range.topic, range.partition, range.from, range.to],
  );
  const found = Number(rows[0]?.count);
  if (found !== wanted) throw laneBroken(range, found);
  for await (const part of laneRecords(client, range, pageRows)) await log.append(part);
  return wanted;
}
