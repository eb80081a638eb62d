import type { ClientBase } from "pg";

import { header } from "../../../engine/envelope.ts";
import { RecordCursor } from "../../../engine/record-batch/index.ts";
import type { LockedPartition } from "./skip.ts";

/** The last event of a lane that the log has. */
export interface LaneEnd {
  readonly partition: number;
  readonly sequence: number;
  readonly eventId: string | undefined;
}

const batchesOfPage = 200;

/**
 * The first offset of a partition whose record has this sequence or a later one; undefined where
 * the log ends before it. It reads the partition from its start: sequences rise, but for those that
 * stand there a second time.
 */
export async function firstOffsetFrom(
  client: ClientBase,
  place: LockedPartition,
  sequence: number,
): Promise<number | undefined> {
  const cursor = new RecordCursor();
  let from = 0;
  for (;;) {
    const { rows } = await client.query<{ base_offset: string; bytes: Buffer }>(
      `select base_offset::text, bytes from refold.log_batches
       where topic_number = $1 and partition = $2 and base_offset >= $3
       order by base_offset limit ${batchesOfPage}`,
      [place.topicNumber, place.partition, from],
    );
    for (const { base_offset: base, bytes } of rows) {
      cursor.reset(bytes, 0);
      while (cursor.next()) {
        if (cursor.headerNumber(header.sequence) >= sequence) return cursor.offset;
      }
      from = Number(base) + 1;
    }
    if (rows.length < batchesOfPage) return undefined;
  }
}

/** The last record of each of the topic's partitions that has one. */
export async function laneEnds(client: ClientBase, topic: string): Promise<readonly LaneEnd[]> {
  const { rows } = await client.query<{ partition: number; bytes: Buffer }>(
    `select p.partition, b.bytes from refold.log_topics t join refold.log_partitions p
       using (topic_number)
     cross join lateral (
       select bytes from refold.log_batches
       where topic_number = p.topic_number and partition = p.partition
       order by base_offset desc limit 1) b
     where t.name = $1 order by p.partition`,
    [topic],
  );
  return rows.map(({ partition, bytes }) => laneEnd(partition, bytes));
}

function laneEnd(partition: number, bytes: Buffer): LaneEnd {
  const cursor = new RecordCursor();
  cursor.reset(bytes, 0);
  let end: LaneEnd = { partition, sequence: 0, eventId: undefined };
  while (cursor.next()) {
    const sequence = cursor.headerNumber(header.sequence);
    end = { partition, sequence, eventId: cursor.headerText(header.id) };
  }
  return end;
}
