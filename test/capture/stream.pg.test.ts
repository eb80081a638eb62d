import { expect, onTestFinished, test } from "vitest";

import type { EmbeddedCapture } from "../../connectors/capture/index.ts";
import { CapturedDatabase } from "./captured-database.ts";

async function started(capture: EmbeddedCapture): Promise<EmbeddedCapture> {
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await capture.start(new AbortController().signal);
  return capture;
}

test("rows that were there and rows that come are published in order", async () => {
  const database = await CapturedDatabase.make();
  await database.sql(
    "create table public.t (id int primary key, v text not null)",
    "insert into t values (1, 'before')",
  );
  await started(await database.capture(["public.t"]));
  await database.sql("insert into t values (2, 'after')", "update t set v = 'x' where id = 1");
  const records = await database.untilRecords(3);
  const told = records.map(({ value }) => database.decode(value) as { op: string; after: unknown });
  expect(told.map(({ op, after }) => [op, after])).toEqual([
    ["r", { id: 1, v: "before" }],
    ["c", { id: 2, v: "after" }],
    ["u", { id: 1, v: "x" }],
  ]);
});
