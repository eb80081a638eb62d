import { expect, test } from "vitest";

import {
  dropCapture,
  preparePublication,
  takeCapture,
  yieldCapture,
} from "../../connectors/capture/index.ts";
import { event, LogOutside } from "./log-outside.ts";

const { signal } = new AbortController();

async function captured(): Promise<LogOutside> {
  const outside = await LogOutside.make();
  await outside.whileCapturing(async () => {
    await outside.database.sql("insert into rooms values ('C', 3)", event(1), event(2));
    await expect.poll(() => outside.sequences()).toEqual([1, 2]);
  });
  return outside;
}

const handing = (outside: LogOutside) => ({ capture: outside.options(), signal });

test("what commits between the captures is published by the one that comes, once", async () => {
  const outside = await captured();
  const { database } = outside;
  const other = `${database.slot}_other`;
  const at = await yieldCapture(handing(outside), [other]);
  await dropCapture(handing(outside));
  await database.sql("update rooms set seats = 9 where code = 'A'", event(3));
  await preparePublication(handing(outside));
  await takeCapture(handing(outside), { slot: other, lsn: at });
  await database.sql(`select pg_drop_replication_slot('${other}')`);
  await outside.whileCapturing(async () => {
    await database.sql("delete from rooms where code = 'B'", event(4));
    await expect.poll(() => outside.sequences()).toContain(4);
  });
  expect(await outside.sequences()).toEqual([1, 2, 3, 4]);
  expect(await outside.rows()).toEqual({ A: 9, C: 3 });
});

test("a capture that runs is ended by it, and goes on nowhere else", async () => {
  const outside = await captured();
  const { database } = outside;
  await using running = await outside.capture();
  await running.start(signal);
  const yielding = yieldCapture(handing(outside), [`${database.slot}_other`]);
  await database.sql(event(3));
  await expect(running.done).rejects.toMatchObject({ name: "FencedError" });
  await yielding;
  await database.sql(`select pg_drop_replication_slot('${database.slot}_other')`);
});

test("a capture whose slot is lost hands nothing over", async () => {
  const outside = await captured();
  await dropCapture(handing(outside));
  await expect(yieldCapture(handing(outside), ["other"])).rejects.toMatchObject({
    code: "slot-lost",
  });
});

test("one that never published has no place to go on from", async () => {
  const outside = await LogOutside.make();
  await expect(yieldCapture(handing(outside), ["other"])).rejects.toMatchObject({
    code: "nothing-captured",
  });
});
