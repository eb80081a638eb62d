/**
 * Flushes of read models into Postgres: rows per second of one writer, flushes of 2,000 rows on
 * 10 partitions, each with its fences, digests and positions. The stored rows, digests and positions
 * are compared with what was written before a figure is printed.
 *
 *     npx node benchmarks/flush.ts [postgres URL]     # without a URL: an embedded server
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

import type { Pool } from "pg";

import { migrate } from "../connectors/postgres/migrations.ts";
import { makePool } from "../connectors/postgres/pool.ts";
import { PostgresReadModelStore } from "../connectors/postgres/read-model-store/index.ts";
import { engineMigrations } from "../connectors/postgres/schema.ts";
import { digestsOf } from "../engine/digest.ts";
import type { ReadModelFlush } from "../engine/ports/read-model-store.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";
import { columns, FlushWriter, modelOf, places } from "./_flush-writer.ts";

const rowsPerFlush = 2_000;
const flushes = 200;
const warmUpFlushes = 20;

async function bench(pool: Pool, keys: number): Promise<void> {
  const store = new PostgresReadModelStore({ pool });
  const generation = await store.open(modelOf(`flush-${keys}`));
  const writer = new FlushWriter(await store.claim(generation, places), { keys, rowsPerFlush });
  const seconds: number[] = [];
  for (let flush = 0; flush < warmUpFlushes + flushes; flush += 1) {
    const next: ReadModelFlush = { generation, notices: [], deadLetters: [], ...writer.next() };
    const began = performance.now();
    await store.flush(next);
    if (flush >= warmUpFlushes) seconds.push((performance.now() - began) / 1_000);
  }
  await check(store, generation, writer);
  report(keys, seconds);
}

async function check(
  store: PostgresReadModelStore,
  generation: ReadModelFlush["generation"],
  writer: FlushWriter,
): Promise<void> {
  const stored = new Map<string, unknown>();
  for await (const page of store.scan(generation)) {
    for (const { key, row } of page) stored.set(key, row);
  }
  assert.deepEqual(stored, new Map([...writer.rows].sort(([a], [b]) => (a < b ? -1 : 1))));
  const rows = [...writer.rows].map(([key, row]) => ({ key, row }));
  assert.deepEqual(
    [...(await store.digests(generation))],
    [...digestsOf(columns, rows)].sort(([a], [b]) => a - b),
  );
  const positions = await store.positions(generation);
  assert.deepEqual(
    positions.map(({ position }) => position),
    writer.positions,
  );
}

function report(keys: number, seconds: readonly number[]): void {
  const sorted = [...seconds].sort((a, b) => a - b);
  const total = sorted.reduce((sum, of) => sum + of, 0);
  const rate = Math.round((seconds.length * rowsPerFlush) / total);
  const at = (share: number) =>
    ((sorted[Math.floor(sorted.length * share)] ?? 0) * 1_000).toFixed(1);
  console.log(
    `${keys.toLocaleString("en")} keys: ${rate.toLocaleString("en")} rows/s in flushes of ` +
      `${rowsPerFlush.toLocaleString("en")} (p50 ${at(0.5)} ms, p99 ${at(0.99)} ms); ` +
      "rows, digests and positions checked",
  );
}

async function target(): Promise<{ pool: Pool; end(): Promise<void> }> {
  const given = process.argv[2];
  const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
  await chmod(folder, 0o755);
  const server = given === undefined ? await startEmbeddedPostgres({ folder }) : undefined;
  const pool = makePool({ url: given ?? server?.url ?? "", name: "benchmark" });
  await migrate(pool, engineMigrations());
  const { rows } = await pool.query<{ version: string }>(
    "select current_setting('server_version') as version",
  );
  const revision = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" });
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ` +
      `PostgreSQL ${rows[0]?.version}, revision ${revision.trim()}`,
  );
  return {
    pool,
    end: async () => {
      await pool.end();
      await server?.stop("fast");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const run = await target();
try {
  for (const keys of [2_000, 100_000]) await bench(run.pool, keys);
} finally {
  await run.end();
}
