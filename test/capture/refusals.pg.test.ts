import { expect, onTestFinished, test } from "vitest";

import { ReplicationConnection } from "../../connectors/capture/replication-connection.ts";
import { FatalError } from "../../engine/errors.ts";
import { CapturedDatabase } from "./captured-database.ts";

async function refusal(database: CapturedDatabase, table = "public.t"): Promise<FatalError> {
  const capture = await database.capture([table], { limits: { slotWaitMs: 200 } });
  onTestFinished(() => capture[Symbol.asyncDispose]());
  const error = await capture.start(new AbortController().signal).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FatalError);
  return error as FatalError;
}

async function captureOnce(database: CapturedDatabase): Promise<void> {
  await database.sql("create table t (id int primary key)", "insert into t values (1)");
  const capture = await database.capture(["public.t"]);
  await capture.start(new AbortController().signal);
  await capture[Symbol.asyncDispose]();
}

test("tables that can't be told are refused with every fault, before anything is published", async () => {
  const database = await CapturedDatabase.make();
  await database.sql(
    `create table t (id int primary key, p box, x xid8[], d text default 'none')`,
    "alter table t replica identity nothing",
  );
  const error = await refusal(database);
  expect(error.code).toBe("table-unsupported");
  expect(error.message).toContain("public.t.p has the type box");
  expect(error.message).toContain("public.t.x has the type xid8[]");
  expect(error.message).toContain("public.t.d is nullable and has a DEFAULT");
  expect(error.message).toContain("REPLICA IDENTITY NOTHING");
  expect(await database.records()).toEqual([]);
});

test("a table that isn't there is refused by name", async () => {
  const error = await refusal(await CapturedDatabase.make(), "public.missing");
  expect(error.message).toContain("public.missing does not exist");
});

test("a slot that is gone is refused, not made again", async () => {
  const database = await CapturedDatabase.make();
  await captureOnce(database);
  await database.sql(`select pg_drop_replication_slot('${database.slot}')`);
  expect((await refusal(database)).code).toBe("slot-lost");
});

test("a slot that something else advanced is refused", async () => {
  const database = await CapturedDatabase.make();
  await captureOnce(database);
  await database.sql(
    "insert into t values (2)",
    `select pg_replication_slot_advance('${database.slot}', pg_current_wal_lsn())`,
  );
  expect((await refusal(database)).code).toBe("slot-advanced");
});

test("a slot that another connection reads is refused with its process, after a bounded wait", async () => {
  const database = await CapturedDatabase.make();
  await captureOnce(database);
  await using other = new ReplicationConnection({
    url: database.url,
    applicationName: "the other one",
    receivedBytesMax: 1_000,
    connectTimeoutMs: 5_000,
  });
  await other.open();
  const { slot } = database;
  await other.stream({ slot, publication: "refold", fromLsn: 0 });
  const error = await refusal(database);
  expect(error.code).toBe("slot-in-use");
  expect(error.message).toContain("the other one");
});

test("options are refused together", async () => {
  const database = await CapturedDatabase.make();
  await expect(database.capture(["public.a b", "public.a_b"], { slot: "No" })).rejects.toThrow(
    /slot No must.*public\.a b, public\.a_b all make the topic/,
  );
});
