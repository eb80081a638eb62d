import { expect, test } from "vitest";

import { repairCapture } from "../../connectors/capture/index.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { event, LogOutside } from "./log-outside.ts";

/** Three rooms and three events are in the log; then the slot goes, and more is written. */
async function withoutSlot(): Promise<LogOutside> {
  const outside = await LogOutside.make();
  const { database } = outside;
  await outside.whileCapturing(async () => {
    await database.sql("insert into rooms values ('C', 3)", event(1), event(2), event(3));
    await expect.poll(() => outside.sequences()).toEqual([1, 2, 3]);
  });
  await database.sql(
    `select pg_drop_replication_slot('${database.slot}')`,
    "delete from rooms where code = 'A'",
    "update rooms set seats = 20 where code = 'B'",
    event(4),
    event(5),
  );
  return outside;
}

const repair = (outside: LogOutside, log: RecordLog = outside.log) =>
  repairCapture({
    capture: outside.options(log),
    log,
    when: "needed",
    signal: new AbortController().signal,
  });

async function assertWhole(outside: LogOutside): Promise<void> {
  await outside.whileCapturing(async () => {
    await outside.database.sql("update rooms set seats = 30 where code = 'C'", event(6));
    await expect.poll(() => outside.sequences()).toContain(6);
  });
  expect(await outside.sequences()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(await outside.rows()).toEqual({ B: 20, C: 30 });
}

test("a log outside of the database gets what it lacks, and then the position moves", async () => {
  const outside = await withoutSlot();
  expect(await repair(outside)).toMatchObject({
    fault: { code: "slot-lost" },
    events: 2,
    rows: 2,
    removed: 1,
  });
  expect(await repair(outside)).toBeUndefined();
  await assertWhole(outside);
});

/** Takes so many appends, and then no more. */
function dying({ log }: LogOutside, appends: number): RecordLog {
  let left = appends;
  return {
    ensureTopic: (spec) => log.ensureTopic(spec),
    topics: () => log.topics(),
    bounds: (topic) => log.bounds(topic),
    offsetsAt: (topic, timeMs) => log.offsetsAt(topic, timeMs),
    read: (options) => log.read(options),
    append: (parts) => {
      left -= 1;
      return left < 0 ? Promise.reject(new Error("pulled the plug")) : log.append(parts);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

test.each([0, 1, 2])(
  "a repair that dies after %i appends is done again, and publishes no event twice",
  async (appends) => {
    const outside = await withoutSlot();
    await expect(repair(outside, dying(outside, appends))).rejects.toThrow("pulled the plug");
    const refused = outside.whileCapturing(() => Promise.resolve());
    await expect(refused).rejects.toMatchObject({ code: "slot-advanced" });
    await repair(outside);
    await assertWhole(outside);
  },
);
