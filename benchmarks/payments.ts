/**
 * Registrations with payment, from the log: seats that are held for a fee are in the event store and
 * the log before the clock starts, and it stops when each is completed, in the store and in the read
 * models. At work in one process: the capture, the processors that ask for payments and that answer
 * them, the sandbox on Postgres (each payment is charged by card as it is opened), effects,
 * deadlines, and four projections.
 *
 * Checked before a figure is printed, row by row against what was put in: every registration is
 * completed, has one payment of its own amount, and was charged once at the provider.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { openSystem, type Role } from "../bin/system.ts";
import { application, type Definitions } from "../bin/system/definitions.ts";
import { openStores, type Stores } from "../bin/system/stores.ts";
import { PostgresBooks, SandboxProvider } from "../connectors/payments/index.ts";
import { makePool } from "../connectors/postgres/index.ts";
import { sharedByDeciders } from "../engine/decision/shared.ts";
import { noMetrics } from "../engine/ports/metrics.ts";
import { systemClock } from "../bin/system-clock.ts";
import { paymentDue, paymentPerformers, paymentRequests } from "../processors/payments/index.ts";
import { registrationSaga } from "../processors/registration-saga/index.ts";
import { payments } from "../projections/payments/index.ts";
import { registrations } from "../projections/registrations/index.ts";
import { seatAvailability } from "../projections/seat-availability/index.ts";
import { waitingLists } from "../projections/waiting-lists/index.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";
import { type Cost, costOf } from "./_cost.ts";
import { appendHeldSeats, type HeldSeat } from "./_held-seats.ts";
import { assertPaid } from "./_paid-seats.ts";
import { floorOf, type Since, sinceNow } from "./_payment-floor.ts";

const target = { perSecond: 3_000 };
const modules = 200;
const warmUpSeats = 3_000;
const patienceMs = 120_000;

const { values } = parseArgs({
  options: { seats: { type: "string", default: "30000" } },
});
const seats = Number(values.seats);

const definitions: Definitions = {
  ...application,
  processors: [paymentRequests, registrationSaga],
  projections: [seatAvailability, registrations, waitingLists, payments],
  deadlines: [paymentDue],
};

interface Place {
  readonly url: string;
  /** Of the postmaster. */
  readonly pid: number;
  readonly stores: Stores;
  readonly provider: SandboxProvider;
}

const report = (message: string): void => console.error(message);

function start({ url, stores, provider }: Place, role: Role) {
  const deciding = sharedByDeciders();
  const performers = paymentPerformers(provider);
  const roles = new Set([role]);
  const ports = { url, stores, metrics: noMetrics, report };
  return openSystem({ ...ports, definitions, roles, performers, deciding });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endsMs = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > endsMs)
      throw new Error(`Waited ${patienceMs} ms in vain until ${what}.`);
    await sleep(20);
  }
}

async function count({ stores }: Place, sql: string): Promise<number> {
  const { rows } = await stores.pool.query<{ n: unknown }>(sql);
  return Number(rows[0]?.n);
}

const recorded = `select sum(last_sequence) as n from refold.lanes
  where topic in ('module-events', 'payment-events')`;
const logged = `select sum(end_offset) as n from refold.log_partitions
  join refold.log_topics using (topic_number) where name = 'module-events'`;
const completedRows = `select count(*) as n from read."registrations" where status = 'completed'`;
const confirmedRows = `select count(*) as n from read."payments" where status = 'confirmed'`;

/** Asks first what costs least: how many events there are. */
async function untilCompleted(place: Place, all: { events: number; seats: number }): Promise<void> {
  const shows = async (sql: string): Promise<boolean> => (await count(place, sql)) === all.seats;
  await until("every event is recorded", async () => {
    return (await count(place, recorded)) === all.events;
  });
  await until("the read models have all", async () => {
    return (await shows(completedRows)) && shows(confirmedRows);
  });
}

interface Round {
  /** What it took from the moment that all is in the log. */
  readonly cost: Cost;
  readonly since: Since;
}

/** Puts seats in, and has them paid. */
async function round(place: Place, seats: number, held: HeldSeat[]): Promise<Round> {
  const { codec, eventStore: store } = place.stores;
  const before = await count(place, logged);
  held.push(...(await appendHeldSeats({ store, codec }, { modules, seats })));
  await until("all is in the log", async () => {
    return (await count(place, logged)) === before + modules + seats;
  });
  const events = (await count(place, recorded)) + 3 * seats;
  await using stop = new AsyncDisposableStack();
  const since = await sinceNow(place.stores.pool);
  const cost = await costOf(place.pid, async () => {
    stop.use(await start(place, "consumers"));
    await untilCompleted(place, { events, seats: held.length });
  });
  return { cost, since };
}

async function measure(place: Place): Promise<void> {
  await using _capture = await start(place, "capture");
  const held: HeldSeat[] = [];
  // Once unmeasured: compiled code and open connections are the usual state.
  await round(place, warmUpSeats, held);
  const { pool } = place.stores;
  const { cost, since } = await round(place, seats, held);
  await assertPaid(pool, held);
  tell(cost, await floorOf({ pool, pid: place.pid }, since));
}

function tell({ seconds, nodeSeconds, postgresSeconds = Number.NaN }: Cost, floor: Cost): void {
  const rate = Math.round(seats / seconds);
  const each = (of: number): string => `${((of * 1e6) / seats).toFixed(0)} µs`;
  const cores = availableParallelism();
  const used = (nodeSeconds + postgresSeconds) / seconds;
  console.log(
    `${seats} registrations of ${modules} modules, charged once each, in ${seconds.toFixed(2)} s\n` +
      `  processor time of each: ${each(nodeSeconds)} here, ${each(postgresSeconds)} of Postgres; ` +
      `${used.toFixed(2)} of ${cores} cores used, load ${loadavg()[0]?.toFixed(1)}\n` +
      `  the same events, tags and effects, copied by a plain statement a table: ` +
      `${each(floor.postgresSeconds ?? Number.NaN)} of Postgres\n` +
      `${rate.toLocaleString("en")} completed registrations with payment/s ` +
      `(target: at least ${target.perSecond.toLocaleString("en")})`,
  );
}

const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
await chmod(folder, 0o755);
const server = await startEmbeddedPostgres({ folder });
try {
  const { url } = server;
  await using stores = await openStores({
    url,
    migrations: definitions.migrations,
    projections: definitions.projections,
    name: "benchmark",
    metrics: noMetrics,
    schema: "migrate",
    others: "none",
    report,
  });
  const pool = makePool({ url, name: "sandbox", connectionsMax: 4 });
  const provider = new SandboxProvider({
    books: new PostgresBooks({ pool }),
    clock: systemClock,
    autoCard: "tok_ok",
  });
  try {
    await measure({ url, pid: server.pid, stores, provider });
  } finally {
    await pool.end();
  }
} finally {
  await server.stop("fast");
  await rm(folder, { recursive: true, force: true });
}
