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
import { integer, text } from "../engine/columns.ts";
import { DigestDeltas, digestsOf } from "../engine/digest.ts";
import type {
  Advance,
  OwnedPartition,
  ReadModelFlush,
  RowMutation,
} from "../engine/ports/read-model-store.ts";
import { offset, sequence, type Position } from "../engine/position.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";

const partitions = 10;
const rowsPerFlush = 2_000;
const flushes = 200;
const warmUpFlushes = 20;
const topic = "bench";
const columns = { moduleCode: text(), capacity: integer(), held: integer(), confirmed: integer() };

async function bench(pool: Pool, keys: number): Promise<void> {
  const store = new PostgresReadModelStore({ pool });
  const generation = await store.open({
    projection: `flush-${keys}`,
    version: 1,
    columns,
    indexes: [],
    topics: [{ name: topic, partitions }],
  });
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const writer = new Writer(keys, await store.claim(generation, places));
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

/** Makes flushes, and remembers what must be stored after them. */
class Writer {
  readonly rows = new Map<string, { moduleCode: string } & Record<string, unknown>>();
  readonly #keys: number;
  #owned: readonly OwnedPartition[];
  #digests = new DigestDeltas(columns);
  #count = 0;

  constructor(keys: number, owned: readonly OwnedPartition[]) {
    this.#keys = keys;
    this.#owned = owned;
  }

  get positions(): readonly (Position | undefined)[] {
    return this.#owned.map(({ position }) => position);
  }

  next(): Pick<ReadModelFlush, "advances" | "rows" | "digests"> {
    const rows: RowMutation[] = [];
    for (let index = 0; index < rowsPerFlush; index += 1) {
      const number = this.#count % this.#keys;
      const key = `module-${String(number).padStart(8, "0")}`;
      const row = { moduleCode: key, capacity: 500, held: this.#count, confirmed: index };
      this.#count += 1;
      this.#digests.change(key, this.rows.get(key), row);
      this.rows.set(key, row);
      rows.push({ key, partition: number % partitions, row });
    }
    const advances = this.#owned.map((owned) => advanceOf(owned, rowsPerFlush / partitions));
    this.#owned = advances.map(({ to, ...owned }) => ({ ...owned, position: to }));
    return { advances, rows, digests: this.#digests.take() };
  }
}

function advanceOf(owned: OwnedPartition, records: number): Advance {
  const next = Number(owned.position?.nextOffset ?? 0) + records;
  const source = { kind: "lane", incarnation: "bench", nextSequence: sequence(next + 1) } as const;
  const { topic, partition, epoch, position: from } = owned;
  const to = { logId: "bench", nextOffset: offset(next), source };
  return { topic, partition, epoch, from, to, records, lastRecordedAtMs: next };
}

async function check(
  store: PostgresReadModelStore,
  generation: ReadModelFlush["generation"],
  writer: Writer,
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
