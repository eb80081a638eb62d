import { expect, test } from "vitest";

import { laneEndsOf } from "../../connectors/capture/repair/log-lane-ends.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { offset } from "../../engine/position.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { SkippingRecordLog } from "../../engine/record-log/skipping-log.ts";
import { realClock } from "../engine/process.ts";

const topic = "events";

const recordOf = (sequence: number) => ({
  timestampMs: 0,
  key: null,
  value: null,
  headers: [
    { name: "ce_id", value: Buffer.from(`e-${sequence}`) },
    { name: "ce_sequence", value: Buffer.from(String(sequence)) },
  ],
});

/** Partition 0 has `count` events, 1 has two, 2 has none. */
async function filled(count: number): Promise<MemoryRecordLog> {
  const log = new MemoryRecordLog({ batchRecordsMax: 7 });
  await log.ensureTopic({ name: topic, partitions: 3 });
  const records = Array.from({ length: count }, (_, at) => recordOf(at + 1));
  await log.append([
    { topic, partition: 0, records },
    { topic, partition: 1, records: [recordOf(1), recordOf(2)] },
  ]);
  return log;
}

test("the last event of each partition that has one is told", async () => {
  await using log = await filled(500);
  expect(await laneEndsOf(log, topic)).toEqual([
    { partition: 0, sequence: 500, eventId: "e-500" },
    { partition: 1, sequence: 2, eventId: "e-2" },
  ]);
});

/** The same, as who skips some offsets sees it. */
async function skipping(log: RecordLog, from: number, to: number): Promise<RecordLog> {
  const [info] = await log.topics();
  const range = {
    topicId: info?.id ?? "",
    topic,
    partition: 0,
    from: offset(from),
    to: offset(to),
  };
  return new SkippingRecordLog({ log, skipped: { ranges: async () => [range] }, clock: realClock });
}

test("behind a tail that readers skip the last one is found, in one or two looks more", async () => {
  await using log = await filled(500);
  const [end] = await laneEndsOf(await skipping(log, 300, 500), topic);
  expect(end).toMatchObject({ partition: 0, sequence: 300 });
});

test("a partition of which everything is skipped has no last event", async () => {
  await using log = await filled(20);
  const ends = await laneEndsOf(await skipping(log, 0, 20), topic);
  expect(ends.map(({ partition }) => partition)).toEqual([1]);
});
