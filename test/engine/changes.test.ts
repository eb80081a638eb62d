import { expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { RowChange } from "../../engine/ports/codec.ts";
import { defineTableProjection } from "../../engine/projection.ts";
import { ProjectionDriver } from "../../engine/testing/index.ts";
import { defineChangeTopic } from "../../engine/topic.ts";

interface Row {
  readonly id: number;
  readonly title: string;
}

const record = { type: "record", name: "Value", fields: [] } as const;
const things = defineChangeTopic<Row, { readonly id: number }>({
  name: "db.things",
  partitions: 1,
  table: "public.things",
  row: record,
  key: record,
});

const shelf = defineTableProjection({
  name: "shelf",
  version: 1,
  from: things,
  row: { id: integer(), title: text() },
  key: ({ id }) => String(id),
  on: { upsert: (_, { id, title }) => ({ id, title }), delete: () => undefined },
});

const base = {
  sourceTimestampMs: 1,
  commitLsn: 10n,
  snapshot: false,
  transactionId: "t1",
} as const;
const codec = new JsonCodec();

const put = (op: "c" | "u", order: number, after: Row): RowChange => ({
  ...base,
  op,
  order,
  before: null,
  after,
});
const gone = (order: number, id: number): RowChange => ({
  ...base,
  op: "d",
  order,
  before: { id, title: "" },
  after: null,
});
const seen = (after: Row): RowChange => ({
  ...base,
  op: "r",
  order: 0,
  commitLsn: 0n,
  transactionId: undefined,
  snapshot: true,
  before: null,
  after,
});

/** The rows after these changes, with a batch border and a new process between any two of them. */
async function shelved(changes: readonly (RowChange | null)[], together: boolean) {
  const log = new MemoryRecordLog();
  await log.ensureTopic({ name: things.name, partitions: 1 });
  const driver = new ProjectionDriver({ projection: shelf, codec, log, crashOneIn: 0 });
  let current = driver;
  for (const change of changes) {
    const value = change && codec.encodeChange(things, change);
    const records = [{ timestampMs: 1, key: Buffer.from("k"), value, headers: [] }];
    await log.append([{ topic: things.name, partition: 0, records }]);
    if (together) continue;
    current = new ProjectionDriver({
      projection: shelf,
      codec,
      log,
      store: driver.store,
      crashOneIn: 0,
    });
    await current.catchUp();
  }
  await current.catchUp();
  await current.assertDigests();
  const rows = [...(await current.rows()).values()];
  return rows.map(({ id, title }) => `${String(id)} ${String(title)}`).sort();
}

for (const together of [true, false]) {
  const how = together ? "in one batch" : "split by batches and restarts";

  test(`keys that move on within a transaction lose no row, ${how}`, async () => {
    const before = [seen({ id: 1, title: "one" }), seen({ id: 2, title: "two" })];
    const update = [
      gone(1, 1),
      null,
      put("c", 2, { id: 2, title: "one" }),
      gone(3, 2),
      null,
      put("c", 4, { id: 3, title: "two" }),
    ];
    expect(await shelved([...before, ...update], together)).toEqual(["2 one", "3 two"]);
  });

  test(`a row that passes through several keys ends at the last, ${how}`, async () => {
    const changes = [
      seen({ id: 1, title: "one" }),
      gone(1, 1),
      put("c", 2, { id: 2, title: "one" }),
      gone(3, 2),
      put("c", 4, { id: 3, title: "one" }),
    ];
    expect(await shelved(changes, together)).toEqual(["3 one"]);
  });

  test(`a large value that is left out keeps what the row had, ${how}`, async () => {
    const changes = [
      seen({ id: 1, title: "long" }),
      put("u", 1, { id: 1, title: "__debezium_unavailable_value" }),
    ];
    expect(await shelved(changes, together)).toEqual(["1 long"]);
  });

  test(`changes that come again are dropped, and snapshot rows are applied, ${how}`, async () => {
    const changes = [
      put("c", 1, { id: 1, title: "old" }),
      put("u", 2, { id: 1, title: "new" }),
      put("c", 1, { id: 1, title: "old" }),
      seen({ id: 2, title: "seen" }),
    ];
    expect(await shelved(changes, together)).toEqual(["1 new", "2 seen"]);
  });
}

test("a delete is folded with the row and where its record stands", async () => {
  const marking = defineTableProjection({
    ...shelf,
    name: "marking",
    on: { ...shelf.on, delete: (row, { offset }) => ({ ...row, title: `gone at ${offset}` }) },
  });
  const log = new MemoryRecordLog();
  await log.ensureTopic({ name: things.name, partitions: 1 });
  const driver = new ProjectionDriver({ projection: marking, codec, log, crashOneIn: 0 });
  for (const change of [put("c", 1, { id: 1, title: "a" }), gone(2, 1)]) {
    const value = codec.encodeChange(things, change);
    const records = [{ timestampMs: 1, key: Buffer.from("k"), value, headers: [] }];
    await log.append([{ topic: things.name, partition: 0, records }]);
  }
  await driver.catchUp();
  expect([...(await driver.rows()).values()]).toMatchObject([{ id: 1, title: "gone at 1" }]);
});
