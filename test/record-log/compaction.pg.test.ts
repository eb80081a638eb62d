import { expect, onTestFinished, test } from "vitest";

import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { migrations, PostgresRecordLog } from "../../connectors/postgres/record-log/index.ts";
import { offset } from "../../engine/position.ts";
import { databaseOfTest } from "../support/database.ts";
import { appendOf, fromStart, readRecords, recordOf, recordsOf } from "./records.ts";

async function openLog() {
  const pool = makePool({ url: await databaseOfTest(), name: "compaction" });
  await migrate(pool, migrations);
  // About eighty of the small records below fill a batch.
  const log = new PostgresRecordLog({ pool, batchBytesMax: 8_000 });
  onTestFinished(async () => {
    await log[Symbol.asyncDispose]();
    await pool.end();
  });
  await log.ensureTopic({ name: "t", partitions: 2 });
  const batches = async (partition: number): Promise<number> => {
    const { rows } = await pool.query<{ count: number }>(
      "select count(*)::int as count from refold.log_batches where partition = $1",
      [partition],
    );
    return rows[0]?.count ?? 0;
  };
  return { pool, log, batches };
}

/** Appends records one to a batch; their texts and times are their offsets. */
async function appendSingly(log: PostgresRecordLog, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 1) {
    await log.append([appendOf("t", 0, [recordOf(String(index), index)])]);
  }
}

const texts = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

const now = { ageMinMs: 0 };
const step = { ...now, roundsMax: 1 };

test("united batches hold the same records under the same offsets and times", async () => {
  const { log, batches } = await openLog();
  await appendSingly(log, 0, 300);
  expect(await log.compact(now)).toBeGreaterThan(200);
  expect(await log.compact(now)).toBe(0);
  expect(await batches(0)).toBeLessThan(70);
  for (const from of [0, 1, 79, 150, 299]) {
    const reading = { topic: "t", from: new Map([[0, offset(from)]]), until: "end" } as const;
    const seen = await readRecords(log, reading);
    expect(seen.map((one) => one.text)).toEqual(texts(from, 300));
    expect(seen[0]?.offset).toBe(from);
    expect((await log.offsetsAt("t", from)).get(0)).toBe(BigInt(from));
  }
  await appendSingly(log, 300, 301);
  expect((await log.bounds("t"))[0]).toMatchObject({ start: 0n, end: 301n });
});

test("young batches, and fewer than fill a larger one, are left alone", async () => {
  const { log, batches } = await openLog();
  await appendSingly(log, 0, 70);
  expect(await log.compact({ ageMinMs: 600_000 })).toBe(0);
  expect(await batches(0)).toBe(70);
  const replaced = await log.compact(now);
  expect(replaced).toBeGreaterThan(0);
  // What is left is not enough for another.
  expect(await batches(0)).toBe(70 - replaced + 1);
});

test("batches that are large already stay as they are", async () => {
  const { log, batches } = await openLog();
  for (let index = 0; index < 4; index += 1) {
    await log.append([
      appendOf(
        "t",
        1,
        texts(0, 70).map((text) => recordOf(text)),
      ),
    ]);
  }
  const before = await batches(1);
  expect(await log.compact(now)).toBe(0);
  expect(await batches(1)).toBe(before);
});

test("small batches behind large ones are united in the same call", async () => {
  const { log, batches } = await openLog();
  for (let index = 0; index < 3; index += 1) {
    await log.append([
      appendOf(
        "t",
        0,
        texts(0, 70).map((text) => recordOf(text)),
      ),
    ]);
  }
  await appendSingly(log, 210, 410);
  expect(await log.compact(now)).toBeGreaterThan(100);
  expect(await batches(0)).toBeLessThan(100);
});

test("a reader in the middle loses and doubles nothing while batches are united", async () => {
  const { log, batches } = await openLog();
  await appendSingly(log, 0, 200);
  const wanted = fromStart(0);
  const seen: string[] = [];
  const options = {
    topic: "t",
    from: new Map(wanted),
    until: "forever",
    fetchBytesMax: 700,
  } as const;
  let appended = 200;
  for await (const fetch of log.read({ ...options, signal: AbortSignal.timeout(20_000) })) {
    seen.push(...recordsOf(fetch, wanted).map((one) => one.text));
    if (seen.length >= 400) break;
    await log.compact(step);
    if (appended < 400) await appendSingly(log, appended, (appended += 20));
  }
  expect(seen).toEqual(texts(0, 400));
  expect(await batches(0)).toBeLessThan(200);
});

test("several processes and retention at once leave every record that is not expired", async () => {
  const { log } = await openLog();
  await appendSingly(log, 0, 250);
  const steps = Array.from({ length: 12 }, async (_, index) => {
    if (index % 3 === 2) await log.deleteBefore("t", new Map([[0, offset(index * 4)]]));
    else await log.compact(step);
  });
  await Promise.all(steps);
  const { start } = (await log.bounds("t"))[0] as { start: bigint };
  expect(start).toBe(44n);
  const reading = { topic: "t", from: new Map([[0, offset(start)]]), until: "end" } as const;
  const seen = await readRecords(log, reading);
  expect(seen.map((one) => one.text)).toEqual(texts(44, 250));
});
