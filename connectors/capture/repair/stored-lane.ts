import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import { parseTableName, quoteTable } from "../tables/names.ts";
import type { LaneRange } from "./lane-rows.ts";

/** A lane from a sequence on. */
export interface WantedLane {
  readonly outboxTables: readonly string[];
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
}

/**
 * Where the lane's rows are, from the sequence asked for to the last one.
 *
 * @throws FatalError `lane-unknown`, `sequence-unknown`.
 */
export async function storedRange(client: ClientBase, options: WantedLane): Promise<LaneRange> {
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
  { topic, partition, from }: WantedLane,
  { first, last }: { first: string | null; last: string | null },
): FatalError {
  return new FatalError(
    "sequence-unknown",
    `The store has sequences ${first} to ${last} of ${topic}/${partition}, and not ${from}.`,
    "Begin with one of these; notices are deleted after their topic's retention.",
  );
}

export function laneBroken(
  { table, topic, partition, from, to }: LaneRange,
  found: number,
): FatalError {
  return new FatalError(
    "lane-broken",
    `${table} has ${found} rows of ${topic}/${partition} between sequences ${from} and ${to}, ` +
      `which are ${to - from + 1}: the store itself lacks some, and nothing was appended.`,
    "Restore the store from a backup that has them, and begin a new log.",
  );
}
