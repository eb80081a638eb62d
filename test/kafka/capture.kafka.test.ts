import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import type { RecordLog } from "../../engine/ports/record-log.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import { CapturedDatabase, onPublic } from "../capture/captured-database.ts";
import { createOutbox, insertOutbox } from "../capture/outbox-table.ts";
import { fromStart } from "../record-log/records.ts";
import { beside } from "../support/beside.ts";
import { brokersOfRun, logOfTest, newTopicName } from "./cluster-of-test.ts";

const lanes = [0, 1, 2];
const kills = 4;

/** Inserts a row of each lane in each transaction, until told to stop; gives how many. */
async function load(url: string, topic: string, stop: AbortSignal): Promise<number> {
  const client = new Client({ connectionString: url, options: onPublic });
  await client.connect();
  let sequence = 0;
  try {
    while (!stop.aborted) {
      sequence += 1;
      const rows = lanes.map((partition) =>
        insertOutbox({ position: sequence * lanes.length + partition, topic, partition, sequence }),
      );
      await client.query(`begin; ${rows.join("; ")}; commit`);
    }
  } finally {
    await client.end();
  }
  return sequence;
}

async function startChild({ url, slot }: CapturedDatabase): Promise<ChildProcess> {
  const script = new URL("capture-child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, url, slot, brokersOfRun().join(",")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

/** Returns when the server has noticed too: the slot is free then. */
async function killChild(child: ChildProcess, database: CapturedDatabase): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
  const active = async () => {
    const { rows } = await database.pool.query<{ n: string }>(
      "select count(*)::text as n from pg_replication_slots where slot_name = $1 and active",
      [database.slot],
    );
    return rows[0]?.n;
  };
  await expect.poll(active, { timeout: 10_000, interval: 20 }).toBe("0");
}

interface LaneSeen {
  next: number;
  duplicates: number;
}

/** Reads as a task does: lower is a duplicate, equal is applied, higher would be a hole. */
async function readLanes(log: RecordLog, topic: string, end: () => number) {
  const seen: LaneSeen[] = lanes.map(() => ({ next: 1, duplicates: 0 }));
  const cursor = new RecordCursor();
  const from = fromStart(...lanes);
  const wanted = new Map(from);
  const signal = AbortSignal.timeout(50_000);
  for await (const fetch of log.read({ topic, from, until: "forever", signal })) {
    for (const { partition, bytes, nextOffset } of fetch.partitions) {
      const lane = seen[partition] as LaneSeen;
      cursor.reset(bytes, wanted.get(partition) ?? 0n);
      wanted.set(partition, nextOffset);
      while (cursor.next()) {
        const sequence = cursor.headerNumber("ce_sequence");
        expect(sequence).toBeLessThanOrEqual(lane.next);
        if (sequence === lane.next) lane.next += 1;
        else lane.duplicates += 1;
      }
    }
    if (seen.every(({ next }) => next > end())) break;
  }
  return seen;
}

test("a capture killed under load repeats records in Kafka, and never skips one", async () => {
  const database = await CapturedDatabase.make();
  await database.sql(createOutbox);
  const log = logOfTest();
  const topic = newTopicName();
  await log.ensureTopic({ name: topic, partitions: lanes.length });
  let child = await startChild(database);
  let inserted = Infinity;
  const endLoading = beside((ended) => load(database.url, topic, ended));
  const reading = readLanes(log, topic, () => inserted);
  reading.catch(() => undefined);
  for (let kill = 0; kill < kills; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 300));
    await killChild(child, database);
    child = await startChild(database);
  }
  inserted = await endLoading();
  // The reader looks whether it has all whenever something comes.
  await database.sql(
    ...lanes.map((partition) =>
      insertOutbox({ position: partition, topic, partition, sequence: inserted + 1 }),
    ),
  );
  const seen = await reading;
  await killChild(child, database);
  expect(seen.map(({ next }) => next - 1)).toEqual(
    lanes.map(() => expect.toBeOneOf([inserted, inserted + 1])),
  );
});
