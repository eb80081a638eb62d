import type { Pool } from "pg";
import { expect, test } from "vitest";

import { deleteNotices, insertNotices } from "../../connectors/postgres/event-store/notices.ts";
import type { NewEvent } from "../../engine/ports/event-store.ts";
import { event } from "./events.ts";
import { poolOfTest } from "./store.ts";

async function insert(pool: Pool, notices: readonly NewEvent[], end = "commit"): Promise<void> {
  const client = await pool.connect();
  await client.query("begin");
  await insertNotices(client, notices);
  await client.query(end);
  client.release();
}

const notice = (key: string, partition: number): NewEvent =>
  event("Changed", [], { topic: "updates", key, partition });

test("notices get gapless sequences in lanes of their own, with all that a record needs", async () => {
  const pool = await poolOfTest();
  const given = [notice("x", 0), notice("y", 1), notice("z", 0)];
  await insert(pool, given);
  await insert(pool, [notice("lost", 0)], "rollback");
  await insert(pool, [notice("x", 0)]);
  await insert(pool, []);
  const { rows } = await pool.query(
    `select partition, sequence, key, ce_sequence, ce_subject, ce_type, content_type, value,
       ce_time = to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as same_time,
       ce_incarnation = refold.incarnation() as same_life
     from refold.notices order by partition, sequence`,
  );
  expect(rows.map(({ key, partition, sequence }) => [key, partition, sequence])).toEqual([
    ["x", 0, 1n],
    ["z", 0, 2n],
    ["x", 0, 3n],
    ["y", 1, 1n],
  ]);
  expect(rows[1]).toMatchObject({
    ce_sequence: "2",
    ce_subject: "z",
    ce_type: "Changed",
    content_type: "application/avro",
    value: Buffer.from(given[2]?.value ?? []),
    same_time: true,
    same_life: true,
  });
});

test("old notices of a topic are deleted a few at a time, the oldest first", async () => {
  const pool = await poolOfTest();
  await insert(pool, [notice("a", 0), notice("b", 0), notice("c", 0)]);
  await insert(pool, [event("Changed", [], { topic: "others" })]);
  const recordedBeforeMs = Date.now() + 60_000;
  const before = { topic: "updates", limit: 2 };
  expect(await deleteNotices(pool, { ...before, recordedBeforeMs: 0 })).toBe(0);
  expect(await deleteNotices(pool, { ...before, recordedBeforeMs })).toBe(2);
  expect(await deleteNotices(pool, { ...before, recordedBeforeMs })).toBe(1);
  const { rows } = await pool.query("select topic from refold.notices");
  expect(rows).toEqual([{ topic: "others" }]);
});
