import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import type { CaptureSink, LoggedLaneEnd } from "../../../engine/ports/capture-sink.ts";
import { laneEnds } from "../../postgres/index.ts";
import { parseTableName, quoteTable } from "../tables/names.ts";
import type { LaneRange } from "./lane-rows.ts";

interface StoredLane {
  readonly topic: string;
  readonly partition: number;
  readonly last: number;
}

export interface UnpublishedSource {
  readonly client: ClientBase;
  /** Who knows the log's lanes, where the client's database doesn't. */
  readonly sink: Pick<CaptureSink, "laneEnds">;
}

/**
 * What the outbox table holds and the log doesn't, by lane: everything behind the log's last
 * sequence. Sequences are gapless and in the order of commits, so nothing before it is missing that
 * was ever published.
 *
 * @throws FatalError `log-ahead`, `log-differs`: the log holds events that the store doesn't.
 */
export async function unpublishedLanes(
  { client, sink }: UnpublishedSource,
  table: string,
): Promise<LaneRange[]> {
  const lacking: LaneRange[] = [];
  const byTopic = Map.groupBy(await storedLanes(client, table), (lane) => lane.topic);
  for (const [topic, lanes] of byTopic) {
    const logged = sink.laneEnds ? await sink.laneEnds(topic) : await laneEnds(client, topic);
    const ends = new Map(logged.map((end) => [end.partition, end]));
    for (const { partition, last } of lanes) {
      const end = ends.get(partition);
      if (end) await compare(client, { table, topic, end, last });
      const from = (end?.sequence ?? 0) + 1;
      if (from <= last) lacking.push({ table, topic, partition, from, to: last });
    }
  }
  return lacking;
}

async function storedLanes(client: ClientBase, table: string): Promise<StoredLane[]> {
  const { rows } = await client.query<{ topic: string; partition: number; last: string }>(
    `select topic, partition, max(sequence)::text as last
     from ${quoteTable(parseTableName(table))} group by topic, partition order by topic, partition`,
  );
  return rows.map((row) => ({ ...row, last: Number(row.last) }));
}

interface Comparison {
  readonly table: string;
  readonly topic: string;
  readonly end: LoggedLaneEnd;
  readonly last: number;
}

/** The log's last event of a lane must be the store's, where the store still has it. */
async function compare(client: ClientBase, { table, topic, end, last }: Comparison): Promise<void> {
  const lane = `${topic}/${end.partition}`;
  if (!(end.sequence >= 0)) throw logDiffers(lane, "has no readable sequence");
  if (end.sequence > last) throw logAhead(lane, end.sequence, last);
  const { rows } = await client.query<{ ce_id: string }>(
    `select ce_id from ${quoteTable(parseTableName(table))}
     where topic = $1 and partition = $2 and sequence = $3`,
    [topic, end.partition, end.sequence],
  );
  const stored = rows[0]?.ce_id;
  if (stored === undefined || stored === end.eventId) return;
  throw logDiffers(lane, `is ${end.eventId}, and the store has ${stored} at its sequence`);
}

const restored =
  "The database was restored from an older backup, or the log belongs to another store: restore " +
  "both to the same moment, or begin a new log.";

function logAhead(lane: string, inLog: number, inStore: number): FatalError {
  return new FatalError(
    "log-ahead",
    `The log has ${lane} up to sequence ${inLog}, and the store only up to ${inStore}.`,
    restored,
  );
}

function logDiffers(lane: string, how: string): FatalError {
  return new FatalError("log-differs", `The log's last event of ${lane} ${how}.`, restored);
}
