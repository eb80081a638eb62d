import type { Command } from "commander";

import type { ApiOptions } from "../../api/index.ts";
import { PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import { openDatabase, othersOn, type Database } from "../database.ts";
import { givenLimits, placeOf } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { limitsOf, limitsText } from "../limits.ts";
import { assertLoopback, assertPortFree, type Address } from "../port.ts";
import { commandOnDatabase, wholeNumber, type OptionsOnDatabase } from "../program.ts";
import { StopInTurn } from "../stop-in-turn.ts";
import { StopSignals } from "../stop-signals.ts";
import { startHousekeeping } from "../system/chores.ts";
import { application } from "../system/definitions.ts";
import { openStores } from "../system/stores.ts";
import { openSystem } from "../system.ts";
import { reportToTerminal } from "../terminal.ts";
import { refoldVersion } from "../version.ts";
import { welcomeText } from "../welcome.ts";

interface StartOptions extends OptionsOnDatabase, Address {
  readonly limit?: readonly string[];
}

/** `refold start`: everything in one process. */
export function startCommand(): Command {
  return commandOnDatabase("start")
    .description("run everything in one process: Postgres, capture, processors, projections, API")
    .option("--port <port>", "port of the API; 0 takes a free one", wholeNumber(0, 65_535), 8080)
    .option("--host <host>", "address of the API, on loopback", "127.0.0.1")
    .option("--limit <name=number...>", "bounds of the API (also: REFOLD_LIMITS, with commas)")
    .addHelpText("after", `\nLimits, with their defaults (docs/http.md):\n${limitsText()}`)
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  assertLoopback(options.host);
  const limits = limitsOf(givenLimits(options.limit));
  await assertPortFree(options);
  let database: Database | undefined;
  using signals = new StopSignals(() => {
    if (database?.kind === "own") database.abandon();
    process.exit(exitCodes.interrupted);
  });
  database = await openDatabase({
    place: placeOf(options),
    command: "start",
    missing: "make",
    whenHeld: "refuse",
  });
  await using _database = database;
  await using stop = new StopInTurn(reportToTerminal);
  const httpUrl = await startEverything(database, { options, limits, stop });
  if (database.kind === "own") await database.folder.announce({ httpUrl });
  const dataFolder = database.kind === "own" ? database.folder.path : undefined;
  const databaseUrl = database.url;
  process.stdout.write(welcomeText({ httpUrl, databaseUrl, dataFolder, findBy: findBy(options) }));
  await stopped(signals.stop, database);
  process.stdout.write("\nStopping: what is in flight is finished first.\n");
}

interface Parts {
  readonly options: StartOptions;
  readonly limits: ApiOptions;
  /** Stops what is started here, last first: the API takes nothing more before the rest drains. */
  readonly stop: StopInTurn;
}

/** Gives the URL of the API. */
async function startEverything(
  database: Database,
  { options, limits, stop }: Parts,
): Promise<string> {
  const { url } = database;
  const metrics = new PrometheusMetrics({ onFault: reportToTerminal });
  metrics.gauge("build_info", 1, { version: refoldVersion(), node: process.versions.node });
  const report = reportToTerminal;
  const stores = await openStores({
    url,
    migrations: application.migrations,
    name: "start",
    metrics,
    schema: "migrate",
    others: othersOn(database),
    report,
  });
  stop.add("stores", () => stores[Symbol.asyncDispose]());
  const roles = new Set(["capture", "consumers"] as const);
  const system = await openSystem({
    definitions: application,
    stores,
    url,
    roles,
    metrics,
    report,
  });
  stop.add("engine", () => system[Symbol.asyncDispose](), 25_000);
  const chores = startHousekeeping({ stores, definitions: application, report });
  stop.add("housekeeping", () => chores[Symbol.asyncDispose]());
  // Loaded only now: that takes a good part of the start, in which records are applied already.
  const { listenApi } = await import("../system/api.ts");
  const room = database.kind === "own" ? { room: database.room } : {};
  const api = await listenApi({ stores, system, metrics, limits, address: options, ...room });
  stop.add("API", () => api.close());
  return api.url;
}

/** The options by which other commands find this instance. */
function findBy(options: StartOptions): string {
  if (options.databaseUrl !== undefined) return `--database-url ${options.databaseUrl}`;
  return options.data === undefined ? "" : `--data ${options.data}`;
}

/** Until somebody wants it. @throws EmbeddedPostgresError when the server couldn't be kept running. */
async function stopped(signal: AbortSignal, database: Database): Promise<void> {
  // The channel to the launcher and the sockets keep the process alive meanwhile.
  const wish = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const failed = database.kind === "own" ? [database.failed] : [];
  const failure = await Promise.race([wish, ...failed]);
  if (failure !== undefined) throw failure;
}
