import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseArgs } from "node:util";

import type { Pool } from "pg";

import { PostgresEventStore } from "../connectors/postgres/event-store/event-store.ts";
import { migrations } from "../connectors/postgres/event-store/migrations.ts";
import { migrate } from "../connectors/postgres/migrations.ts";
import { makePool } from "../connectors/postgres/pool.ts";
import type { AppendRequest } from "../engine/ports/event-store.ts";
import { globalPosition } from "../engine/position.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";
import { measureSingleAppends } from "./_single-appends.ts";
import { tell, tellChecked, tellRate } from "./harness/tell.ts";

/**
 * Conditional appends per second: each request appends one event of 200 bytes with three tags under
 * a condition of two items, from one process, with many requests waiting and with one. The database
 * syncs its log at every commit.
 */
const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    waiting: { type: "string", default: "4000" },
    alone: { type: "string", default: "3000" },
  },
});
const requests = Number(values.requests);
const waiting = Number(values.waiting);
const alone = Number(values.alone);

const value = Buffer.alloc(200, 7);
const zero = globalPosition(0);

function request(round: string, i: number): AppendRequest {
  const module = `module:${round}-${i % 500}`;
  const student = `student:${round}-${i}`;
  const registration = `registration:${round}-${i}`;
  return {
    events: [
      {
        id: `${round}-${i}`,
        type: "refold.seats.ModuleRegistered",
        topic: "module-events",
        partition: i % 10,
        key: module,
        value,
        tags: [module, student, registration],
        correlationId: round,
      },
    ],
    condition: [
      { tags: [student], types: ["refold.seats.ModuleRegistered"], after: zero },
      { tags: [registration], types: ["refold.seats.ModuleRegistered"], after: zero },
    ],
  };
}

interface Measured {
  readonly perSecond: number;
  /** Of this process: it holds on a busy machine too. */
  readonly cpuMicroseconds: number;
}

async function measure(
  pool: Pool,
  round: string,
  load: { requests: number; waiting: number },
): Promise<Measured> {
  const store = new PostgresEventStore({ pool });
  let next = 0;
  let appended = 0;
  const client = async (): Promise<void> => {
    while (next < load.requests) {
      const verdict = await store.append(request(round, next++), { as: "command" });
      if (verdict.outcome === "appended" && !verdict.duplicate) appended += 1;
    }
  };
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  await Promise.all(Array.from({ length: load.waiting }, client));
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await check(pool, round, { ...load, appended });
  return {
    perSecond: load.requests / seconds,
    cpuMicroseconds: (user + system) / load.requests,
  };
}

async function check(
  pool: Pool,
  round: string,
  load: { requests: number; appended: number },
): Promise<void> {
  const { rows } = await pool.query<{ stored: bigint; gaps: bigint }>(
    `select count(*) filter (where ce_correlationid = $1) as stored,
       (select count(*) from refold.lanes l where last_sequence <> (
          select count(*) from refold.events e
          where e.topic = l.topic and e.partition = l.partition)) as gaps
     from refold.events`,
    [round],
  );
  const stored = Number(rows[0]?.stored);
  if (load.appended !== load.requests || stored !== load.requests || rows[0]?.gaps !== 0n) {
    throw new Error(
      `Of ${load.requests} requests ${load.appended} were appended and ${stored} stored; ` +
        `${rows[0]?.gaps} lanes have gaps.`,
    );
  }
}

function tellMeasured(name: string, { perSecond, cpuMicroseconds }: Measured): void {
  tell({ name, unit: "events/s", value: perSecond, better: "more", role: "measured" });
  const of = { unit: "µs/event", better: "less", role: "measured" } as const;
  tell({ ...of, name: `${name}, processor time of Node`, value: cpuMicroseconds });
}

/** One event a call, by the least that does it; rounded up to as many of each writer. */
async function measurePeers(pool: Pool): Promise<void> {
  const each = Math.ceil(alone / 10);
  for (const writers of [1, 10]) {
    const load = { requests: each * 10, writers, value };
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
  try {
    await migrate(pool, migrations);
    await measure(pool, "warm", { requests: 5_000, waiting: 2_000 });
    const many = await measure(pool, "many", { requests, waiting });
    const one = await measure(pool, "one", { requests: alone, waiting: 1 });
    const ten = await measure(pool, "ten", { requests: alone, waiting: 10 });
    tellChecked("every request is stored once, and no lane has gaps");
    tellMeasured("many clients waiting", many);
    tellMeasured("one client waiting", one);
    tellMeasured("10 clients waiting", ten);
    await measurePeers(pool);
  } finally {
    await pool.end();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

await appendBenchmark();
