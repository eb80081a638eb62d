import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseArgs } from "node:util";

import type { Pool } from "pg";

import { migrations } from "../connectors/postgres/event-store/migrations.ts";
import { migrate } from "../connectors/postgres/migrations.ts";
import { makePool } from "../connectors/postgres/pool.ts";
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from "../stack/postgres/embedded-postgres.ts";
import {
  append,
  type Appended,
  type AppendLoad,
  checkAppended,
  expectedEvents,
} from "./_append-load.ts";
import type { ProcessAppended } from "./_append-process.ts";
import { appendProcesses } from "./_append-processes.ts";
import { type Cost, costOf } from "./_cost.ts";
import { measureSingleAppends } from "./_single-appends.ts";
import { tell, tellChecked, tellRate } from "./harness/tell.ts";

/**
 * Conditional appends per second: each request appends one event of 200 bytes with three tags under
 * a condition of two items, with many requests waiting, from one process and from several, and with
 * one. The database syncs its log at every commit.
 */
const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    waiting: { type: "string", default: "4000" },
    alone: { type: "string", default: "3000" },
    processes: { type: "string", default: "4" },
  },
});
const requests = Number(values.requests);
const waiting = Number(values.waiting);
const alone = Number(values.alone);
const processes = Number(values.processes);

async function measure(own: Own, load: Omit<AppendLoad, "process">): Promise<Cost> {
  const whole = { ...load, process: 0 };
  const told: Appended[] = [];
  const cost = await costOf(own.server.pid, async () => told.push(await append(own.pool, whole)));
  await checkAppended(own.pool, whole, told);
  return cost;
}

/** Each of the processes has its share of the requests and of the clients. */
async function measureProcesses({ pool, server }: Own): Promise<Measured> {
  const load = {
    round: "processes",
    requests: Math.ceil(requests / processes),
    waiting: Math.ceil(waiting / processes),
  };
  using started = await appendProcesses(server.url, load, processes);
  let told: ProcessAppended[] = [];
  const cost = await costOf(server.pid, async () => {
    told = await started.run();
  });
  const whole = { ...load, process: 0 };
  await checkAppended(pool, whole, told);
  const nodeSeconds = told.reduce((sum, one) => sum + one.nodeSeconds, 0);
  const events = expectedEvents(whole, processes);
  return { name: `many clients waiting in ${processes} processes`, events, ...cost, nodeSeconds };
}

interface Own {
  readonly pool: Pool;
  readonly server: EmbeddedPostgres;
}

interface Measured extends Cost {
  readonly name: string;
  readonly events: number;
}

function tellMeasured({ name, events, seconds, nodeSeconds, postgresSeconds }: Measured): void {
  tellRate({ name, of: "events", count: events, seconds });
  const of = { unit: "µs/event", better: "less", role: "measured" } as const;
  const eachUs = (spent: number): number => (spent * 1_000_000) / events;
  tell({ ...of, name: `${name}, processor time of Node`, value: eachUs(nodeSeconds) });
  if (postgresSeconds === undefined) return;
  tell({ ...of, name: `${name}, processor time of Postgres`, value: eachUs(postgresSeconds) });
}

/** One event a call, by the least that does it; rounded up to as many of each writer. */
async function measurePeers(pool: Pool): Promise<void> {
  const each = Math.ceil(alone / 10);
  for (const writers of [1, 10]) {
    const load = { requests: each * 10, writers, value: Buffer.alloc(200, 7) };
    const seconds = await measureSingleAppends(pool, load);
    const clients = writers === 1 ? "one client" : `${writers} clients`;
    const name = `one statement and commit an event, ${clients} waiting`;
    tellRate({ name, of: "events", count: load.requests, seconds, role: "peer" });
  }
}

async function appendBenchmark(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({ folder });
  const pool = makePool({ url: server.url, name: "bench", connectionsMax: 8 });
  const own = { pool, server };
  try {
    await migrate(pool, migrations);
    await measure(own, { round: "warm", requests: 5_000, waiting: 2_000 });
    const many = await measure(own, { round: "many", requests, waiting });
    const several = await measureProcesses(own);
    const one = await measure(own, { round: "one", requests: alone, waiting: 1 });
    const ten = await measure(own, { round: "ten", requests: alone, waiting: 10 });
    tellChecked("every event is stored once, no condition is violated, and no lane has gaps");
    tellMeasured({ name: "many clients waiting", events: requests, ...many });
    tellMeasured(several);
    tellMeasured({ name: "one client waiting", events: alone, ...one });
    tellMeasured({ name: "10 clients waiting", events: alone, ...ten });
    await measurePeers(pool);
  } finally {
    await pool.end();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

await appendBenchmark();
