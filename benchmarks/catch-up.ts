/**
 * Catch-up: 1,000,000 seat events on 2,000 keys and 10 partitions, from the embedded log into a
 * Postgres read model, through the runner as a process has it. The rows are compared one by one
 * with counts made without the engine before a figure is printed.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresAssignment,
  PostgresReadModelStore,
  PostgresRecordLog,
} from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import type { AnyRow } from "../engine/columns.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import type { ReadModelStore } from "../engine/ports/read-model-store.ts";
import { run } from "../engine/runner/run.ts";
import type { Runner } from "../engine/runner/runner.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";
import { followInRedis } from "./_redis.ts";
import { seatBoard } from "./_seat-board.ts";
import { assertRows, SeatEvents, topic } from "./_seat-events.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    // With a redis-server of its own that follows, to the last row.
    redis: { type: "boolean", default: false },
  },
});
const total = Number(values.events);
const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
  },
};

const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
await chmod(folder, 0o755);
const server = await startEmbeddedPostgres({ folder });
const pool = makePool({ url: server.url, name: "benchmark" });
try {
  await migrate(pool, engineMigrations());
  await measure();
} finally {
  await pool.end();
  await server.stop("immediate");
  await rm(folder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const log = new PostgresRecordLog({ pool });
  const codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });
  const history = new SeatEvents(codec);
  await fill(log, codec, history);
  const store = new PostgresReadModelStore({ pool });
  await using following = values.redis
    ? await followInRedis({ pool, primary: store, clock })
    : undefined;
  const began = performance.now();
  const runner = await run({
    projections: [seatBoard],
    log,
    readModels: following?.followed ?? store,
    assignment: new PostgresAssignment({ pool }),
    codec,
    clock,
    random: { next: () => Math.random(), id: () => randomUUID() },
  });
  const peakMb = await applied(runner);
  await following?.reached();
  const seconds = (performance.now() - began) / 1_000;
  await runner.stop();
  assertRows(await rowsOf(store), history.expected);
  if (following) assertRows(await rowsOf(following.store), history.expected);
  await log[Symbol.asyncDispose]();
  console.log(
    `catch-up${values.redis ? " with Redis" : ""}: ${total} events in ${seconds.toFixed(2)} s: ` +
      `${Math.round(total / seconds).toLocaleString("en")} events/s, ` +
      `peak resident memory of this process ${peakMb} MB, rows equal`,
  );
}

async function fill(log: PostgresRecordLog, codec: EventCodec, history: SeatEvents): Promise<void> {
  await log.ensureTopic({ name: topic.name, partitions: topic.partitions });
  await codec.prepare(topic);
  while (history.made < total)
    await log.append(history.take(Math.min(2_000, total - history.made)));
}

/** Waits until all events are durable; gives the largest resident memory seen, in MB. */
async function applied(runner: Runner): Promise<number> {
  let peak = 0;
  for (;;) {
    peak = Math.max(peak, process.memoryUsage.rss());
    const reports = runner.reports();
    const halted = reports.find(({ reason }) => reason !== undefined);
    if (halted) throw new Error(halted.reason);
    const done = reports.reduce((sum, { nextOffset }) => sum + Number(nextOffset), 0);
    if (done >= total) return Math.round(peak / 1024 / 1024);
    await wait(10);
  }
}

async function rowsOf(store: ReadModelStore): Promise<Map<string, AnyRow>> {
  const generation = await store.open(readModelOf(seatBoard));
  const rows = new Map<string, AnyRow>();
  for await (const page of store.scan(generation)) {
    for (const { key, row } of page) rows.set(key, row);
  }
  return rows;
}
