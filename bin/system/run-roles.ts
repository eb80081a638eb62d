import type { ApiOptions } from "../../api/index.ts";
import { PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import { othersOn, type Database } from "../database.ts";
import type { Address } from "../port.ts";
import type { Servers } from "../servers.ts";
import type { StopInTurn } from "../stop-in-turn.ts";
import { openSystem, type Role } from "../system.ts";
import { reportToTerminal } from "../terminal.ts";
import { refoldVersion } from "../version.ts";
import { systemClock } from "../system-clock.ts";
import { BoardView } from "./board-view.ts";
import { startHousekeeping } from "./chores.ts";
import { application } from "./definitions.ts";
import { openStores, type Stores } from "./stores.ts";

/** Where the API listens, and its bounds. */
export interface ApiRole {
  readonly address: Address;
  readonly limits: ApiOptions;
}

export interface RolesPart {
  readonly database: Database;
  readonly servers: Servers;
  /** The command, shown in pg_stat_activity. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  /** Left out: this process serves no API. */
  readonly api?: ApiRole;
  /** Stops what is started here, last first: the API takes nothing more before the rest drains. */
  readonly stop: StopInTurn;
}

/** Starts what a process is to do. Gives the URL of its API, where it has one. */
export async function runRoles(part: RolesPart): Promise<string | undefined> {
  const { database, servers, name, roles, stop } = part;
  const { url } = database;
  const metrics = new PrometheusMetrics();
  metrics.gauge("build_info", 1, { version: refoldVersion(), node: process.versions.node });
  const report = reportToTerminal;
  const stores = await openStores({
    url,
    servers,
    migrations: application.migrations,
    projections: application.projections,
    name,
    metrics,
    schema: "migrate",
    others: othersOn(database),
    report,
  });
  stop.add("stores", () => stores[Symbol.asyncDispose]());
  const system = await openSystem({
    definitions: application,
    stores,
    url,
    roles,
    metrics,
    report,
  });
  stop.add("engine", () => system[Symbol.asyncDispose](), 25_000);
  if (roles.has("consumers")) {
    const chores = startHousekeeping({ stores, definitions: application, report });
    stop.add("housekeeping", () => chores[Symbol.asyncDispose]());
  }
  if (part.api === undefined) return undefined;
  // Loaded only now: that takes a good part of the start, in which records are applied already.
  const { listenApi } = await import("./api.ts");
  const room = database.kind === "own" ? { room: database.room } : {};
  const others = roles.has("consumers") ? {} : { others: boardView(stores, stop) };
  const api = await listenApi({ stores, system, metrics, ...part.api, ...room, ...others });
  stop.add("API", () => api.close());
  return api.url;
}

function boardView({ board }: Pick<Stores, "board">, stop: StopInTurn): BoardView {
  const view = new BoardView({ board, clock: systemClock, report: reportToTerminal });
  stop.add("view of the status board", () => view[Symbol.asyncDispose]());
  return view;
}
