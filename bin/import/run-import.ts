import type { Pool } from "pg";

import {
  PostgresEventStore,
  PostgresStoreHold,
} from "../../connectors/postgres/event-store/index.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { Decider } from "../../engine/decision/decider.ts";
import { idSource } from "../../engine/decision/event-ids.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { othersOn, type Database } from "../database.ts";
import { embeddedServers, type Servers } from "../servers.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import { application, moduleProjections } from "../system/definitions.ts";
import { openStores, type Stores } from "../system/stores.ts";
import { openSystem, type Role } from "../system.ts";
import { reportToTerminal } from "../terminal.ts";
import { untilCaughtUp } from "../system/caught-up.ts";
import { examineStore } from "./existing.ts";
import { holdName, importOulad, partCommands, type OuladRun } from "./oulad-import.ts";
import type { ImportPlan } from "./oulad-plan.ts";
import { countOutcome, type ImportCounts } from "./outcome.ts";
import { Progress } from "./progress.ts";

export interface ImportRunOptions {
  readonly plan: ImportPlan;
  readonly database: Database;
  /** See `StoresOptions`. */
  readonly servers?: Servers;
  readonly signal: AbortSignal;
}

export type ImportOutcome =
  | {
      readonly kind: "done";
      readonly counts: ImportCounts;
      /** Events that this run recorded, in all modules. */
      readonly events: number;
      /** From the first command until the read models showed everything. */
      readonly elapsedMs: number;
    }
  /** Stopped on request; `at` is the time that the store's clock stands at. */
  | { readonly kind: "stopped"; readonly at: string };

/** How long a projection may stand still at the end before the import says so. */
const patienceMs = 30_000;

/** Nobody looks on: larger flushes leave more of the machine to the commands. */
const importLingerMs = 200;

/** Runs an import where nothing runs with everything but HTTP, and otherwise beside what runs. */
export async function runImport(options: ImportRunOptions): Promise<ImportOutcome> {
  const { plan, database, servers = embeddedServers, signal } = options;
  await using stores = await openStores({
    url: database.url,
    servers,
    migrations: application.migrations,
    // Redis is brought what is folded here; where another process folds, that one does it.
    projections: database.kind === "joined" ? [] : application.projections,
    name: "import",
    metrics: noMetrics,
    schema: database.kind === "joined" ? "require" : "migrate",
    others: othersOn(database),
    report: reportToTerminal,
  });
  const existing = await examineStore(stores.pool, plan);
  await using _system = await openSystem({
    definitions: application,
    stores,
    url: database.url,
    roles: await rolesMissing(database, stores.pool),
    metrics: noMetrics,
    report: reportToTerminal,
    lingerMs: importLingerMs,
  });
  await using commands = openCommandStores(database.url);
  const eventsBefore = await countEvents(stores);
  const begunMs = systemClock.monotonicMs();
  const run = await giveCommands({ ...stores, ...commands }, existing, options);
  if (run.finished) await untilShown(stores, signal);
  if (!run.finished || signal.aborted) return stopped(stores);
  const elapsedMs = systemClock.monotonicMs() - begunMs;
  const counts = await countOutcome(stores.pool, plan);
  await commands.hold.release();
  return { kind: "done", counts, elapsedMs, events: (await countEvents(stores)) - eventsBefore };
}

/** Lanes are gapless, so that their ends count their events. */
async function countEvents({ eventStore }: Stores): Promise<number> {
  const lanes = await eventStore.lanes(moduleEvents.name);
  return lanes.reduce((sum, lane) => sum + Number(lane.lastSequence), 0);
}

async function giveCommands(
  stores: Pick<Stores, "eventStore" | "hold" | "pool" | "codec">,
  existing: Awaited<ReturnType<typeof examineStore>>,
  { plan, signal }: ImportRunOptions,
): Promise<OuladRun> {
  const progress = progressOf("commands");
  const decider = new Decider({
    eventStore: stores.eventStore,
    codec: stores.codec,
    random: new SystemRandom(),
    clock: systemClock,
    metrics: noMetrics,
    as: { holder: holdName },
    requests: "one-per-round",
    roundCallsMax: partCommands,
  });
  try {
    const { hold, pool } = stores;
    const common = { decider, hold, pool, clock: systemClock, signal, progress };
    return await importOulad(plan, existing, { ...common, registrationIdOf });
  } finally {
    progress.end();
  }
}

/** The id that the command's decision asks for first, and only. */
function registrationIdOf(seed: string): string {
  return idSource(seed, new SystemRandom()).newId();
}

/** Waits until the read models show all that was imported. */
async function untilShown(stores: Stores, signal: AbortSignal): Promise<void> {
  const progress = progressOf("events in the read models");
  let total: number | undefined;
  await untilCaughtUp({
    ...stores,
    clock: systemClock,
    signal,
    followers: moduleProjections.map((name) => ({
      name,
      topics: [moduleEvents.name],
      positions: () => stores.reader.positions(name),
    })),
    patienceMs,
    onProgress: (behind) => {
      total ??= Number(behind);
      if (total > 0) progress.show({ done: total - Number(behind), total, at: "" });
    },
  });
  progress.end();
}

const progressOf = (unit: string): Progress =>
  new Progress({ out: process.stderr, nowMs: () => performance.now(), unit });

async function stopped({ hold }: Stores): Promise<ImportOutcome> {
  const current = await hold.current();
  return { kind: "stopped", at: new Date(current?.clockMs ?? 0).toISOString() };
}

/** What nobody does on this database yet. On one of the user's, the slot tells whether it runs. */
async function rolesMissing(database: Database, pool: Pool): Promise<ReadonlySet<Role>> {
  const all: ReadonlySet<Role> = new Set(["capture", "consumers"]);
  if (database.kind === "own") return all;
  if (database.kind === "joined") return new Set();
  const { rows } = await pool.query<{ active: boolean }>(
    "select active from pg_replication_slots where slot_name = 'refold'",
  );
  return rows[0]?.active === true ? new Set() : all;
}

/**
 * The event store and the hold on connections of their own, whose commits don't wait for the disk:
 * what a power cut takes of them the next run gives again, and capture publishes only what has
 * reached the disk. Everything else commits as always.
 */
function openCommandStores(url: string): Pick<Stores, "eventStore" | "hold"> & AsyncDisposable {
  const hurried = new URL(url);
  hurried.searchParams.set("options", "-c synchronous_commit=off");
  const pool = makePool({ url: hurried.href, name: "import commands", connectionsMax: 6 });
  const hold = new PostgresStoreHold({ pool });
  return {
    hold,
    eventStore: new PostgresEventStore({ pool, metrics: noMetrics }),
    [Symbol.asyncDispose]: async () => {
      await hold[Symbol.asyncDispose]();
      await pool.end();
    },
  };
}

/** Releases the hold of an import that nobody finishes. */
export async function abandonImport(url: string): Promise<string> {
  await using stores = await openStores({
    url,
    migrations: application.migrations,
    name: "import",
    metrics: noMetrics,
    schema: "require",
    others: "possible",
    report: reportToTerminal,
  });
  const current = await stores.hold.current();
  if (!current) return "No import holds the store.";
  await stores.hold.acquire(current.name, current.clockMs);
  await stores.hold.release();
  return `The import ${current.name} is given up at ${new Date(current.clockMs).toISOString()}: what it has recorded stays.`;
}
