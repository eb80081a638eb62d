import { expect, test } from "vitest";

import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { recordLogConformance } from "../conformance/record-log.ts";

recordLogConformance("memory", async () => {
  const log = new MemoryRecordLog({ batchRecordsMax: 2 });
  return {
    log,
    other: log,
    deleteBefore: (topic, before) => log.deleteBefore(topic, before),
    close: () => log[Symbol.asyncDispose](),
  };
});

test("a topic that was deleted and made anew has another id", async () => {
  const log = new MemoryRecordLog();
  const first = await log.ensureTopic({ name: "t", partitions: 1 });
  await log.deleteTopic("t");
  const second = await log.ensureTopic({ name: "t", partitions: 1 });
  expect(second.id).not.toBe(first.id);
});
