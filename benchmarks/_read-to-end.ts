import type { RecordLog } from "../engine/ports/record-log.ts";
import { offset } from "../engine/position.ts";
import { RecordCursor } from "../engine/record-batch/index.ts";
import type { EventTopic } from "../engine/topic.ts";
import { topic as seatTopic } from "./_seat-events.ts";

/**
 * The seconds that the log and the cursor alone take for the whole topic.
 * @throws Error when other than `total` records are read.
 */
export async function readToEnd(
  log: RecordLog,
  total: number,
  topic: EventTopic = seatTopic,
): Promise<number> {
  const from = new Map(
    Array.from({ length: topic.partitions }, (_, partition) => [partition, offset(0)]),
  );
  const cursor = new RecordCursor();
  const { signal } = new AbortController();
  const began = performance.now();
  let seen = 0;
  for await (const fetch of log.read({ topic: topic.name, from, until: "end", signal })) {
    for (const { bytes } of fetch.partitions) {
      cursor.reset(bytes, 0);
      while (cursor.next()) seen += 1;
    }
  }
  if (seen !== total) throw new Error(`${seen} records were read instead of ${total}.`);
  return (performance.now() - began) / 1_000;
}
