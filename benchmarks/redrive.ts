/**
 * Redriving 10,000 dead letters through the runner as a process has it, on a Postgres of its own:
 * first 2,000 keys of which one record failed and four wait, then 10,000 keys of one failed record.
 * Every row tells in which order its records were applied; they are compared before a figure is
 * printed. Measured from the order until nothing is open any more.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import type { Pool } from "pg";

import {
  PostgresAssignment,
  PostgresDeadLetters,
  PostgresReadModelStore,
  PostgresRecordLog,
} from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { text } from "../engine/columns.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import { defineProjection } from "../engine/projection.ts";
import { run } from "../engine/runner/run.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { happened } from "../engine/testing/given.ts";
import { Journal } from "../engine/testing/index.ts";
import { defineTopic } from "../engine/topic.ts";
import { defineEvent } from "../schemas/avro/index.ts";
import { clock, rowsOf } from "./_catch-up.ts";
import { onOwnPostgres } from "./_own-postgres.ts";

const Moved = defineEvent({
  type: "record",
  name: "Moved",
  namespace: "bench",
  fields: [
    { name: "code", type: "string" },
    { name: "by", type: "int" },
  ],
});

interface Case {
  readonly keys: number;
  readonly recordsOfKey: number;
}

const cases: readonly Case[] = [
  { keys: 2_000, recordsOfKey: 5 },
  { keys: 10_000, recordsOfKey: 1 },
];

for (const one of cases) await onOwnPostgres(({ pool }) => measure(pool, one));

async function measure(pool: Pool, { keys, recordsOfKey }: Case): Promise<void> {
  const topic = defineTopic({ name: "moves", key: "code", events: [Moved] });
  const codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });
  await using log = new PostgresRecordLog({ pool });
  const journal = new Journal({ log, codec });
  await journal.open(topic);
  for (let by = 1; by <= recordsOfKey; by += 1) {
    const events = Array.from({ length: keys }, (_, at) => happened(Moved, { code: `k${at}`, by }));
    await journal.append(topic, events);
  }
  let mended = false;
  const trails = defineProjection({
    name: "trails",
    version: 1,
    from: topic,
    row: { trail: text() },
    key: "code",
    on: {
      Moved: (row, { by }) => {
        if (!mended) throw new RangeError("Not understood.");
        return { trail: `${row?.trail ?? ""} ${by}` };
      },
    },
  });
  const readModels = new PostgresReadModelStore({ pool });
  const deadLetters = new PostgresDeadLetters({ pool });
  const runner = await run({
    projections: [trails],
    log,
    readModels,
    assignment: new PostgresAssignment({ pool }),
    codec,
    clock,
    random: { next: () => Math.random(), id: () => randomUUID() },
    deadLetters,
    limits: { failedLettersMax: 20_000, waitingLettersMax: 20_000 },
  });
  const letters = keys * recordsOfKey;
  await until(async () => (await open(deadLetters)) === letters);
  mended = true;
  const began = performance.now();
  const { id, matched } = await deadLetters.order({
    letters: {},
    action: "redrive",
    by: "benchmark",
    reason: undefined,
  });
  await until(async () => (await deadLetters.findOrder(id))?.redriven === matched);
  await until(async () => (await open(deadLetters)) === 0);
  const seconds = (performance.now() - began) / 1_000;
  await runner.stop();
  const rows = await rowsOf(readModels, await readModels.open(readModelOf(trails)));
  const expected = Array.from({ length: recordsOfKey }, (_, at) => ` ${at + 1}`).join("");
  const wrong = [...rows.values()].filter((row) => row["trail"] !== expected).length;
  if (rows.size !== keys || wrong > 0) throw new Error(`${rows.size} rows, ${wrong} out of order.`);
  console.log(
    `redrive: ${letters.toLocaleString("en")} dead letters of ${keys.toLocaleString("en")} keys in ` +
      `${seconds.toFixed(2)} s: ${Math.round(letters / seconds).toLocaleString("en")} letters/s, ` +
      "each key in order",
  );
}

async function open(deadLetters: PostgresDeadLetters): Promise<number> {
  const counts = await deadLetters.counts();
  return counts
    .filter(({ disposition }) => disposition === "failed" || disposition === "waiting")
    .reduce((sum, { letters }) => sum + letters, 0);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 120_000; !(await condition()); await wait(100)) {
    if (performance.now() > deadline) throw new Error("Nothing came of it in two minutes.");
  }
}
