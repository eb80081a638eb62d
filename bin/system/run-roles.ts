import type { ApiOptions, ServerTls, TrustedProxies } from "../../api/index.ts";
import { PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import { Decider } from "../../engine/decision/decider.ts";
import { type SharedByDeciders, sharedByDeciders } from "../../engine/decision/shared.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { AccessSettings } from "../access-settings.ts";
import { othersOn, type Database } from "../database.ts";
import type { PaymentSettings } from "../payment-settings.ts";
import type { Address } from "../port.ts";
import type { ProbesPlace } from "../probes-place.ts";
import type { Servers } from "../servers.ts";
import type { StopInTurn } from "../stop-in-turn.ts";
import { openSystem, type Role, type System } from "../system.ts";
import { reportToTerminal } from "../terminal.ts";
import { refoldVersion } from "../version.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import { BoardView } from "./board-view.ts";
import { startHousekeeping } from "./chores.ts";
import { application, applicationWith } from "./definitions.ts";
import { instanceName } from "./instance.ts";
import { probesInTime } from "./probes-in-time.ts";
import { openPayments, type Payments } from "./payments.ts";
import { ProcessHealth } from "./process-health.ts";
import { tellDisk } from "./server-metrics.ts";
import type { Rebuilding } from "./rebuilds.ts";
import { openStores, type Stores } from "./stores.ts";
import { processTracer } from "./tracer.ts";
import { untilAtWork } from "./until-at-work.ts";

/** Where the API listens, and its bounds. */
export interface ApiRole {
  readonly address: Address;
  readonly limits: ApiOptions;
  /** `off`: nobody is asked who he is. */
  readonly access: "off" | AccessSettings;
  /** Left out: HTTP without TLS. */
  readonly tls?: ServerTls;
  /** Left out: a client's address is that of its connection. */
  readonly trustedProxies?: TrustedProxies;
}

/** Every process tells its health and metrics over HTTP; some serve the API on the same port. */
export type HttpRole =
  ({ readonly serves: "api" } & ApiRole) | ({ readonly serves: "probes" } & ProbesPlace);

export interface RolesPart {
  readonly database: Database;
  readonly servers: Servers;
  /** The command, shown in pg_stat_activity. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  readonly http: HttpRole;
  readonly rebuilding: Rebuilding;
  readonly auditRestMs: number;
  readonly paymentSettings: PaymentSettings;
  /** How long a freed seat is held for the first in line. */
  readonly offerMs: number;
  /** Stops what is started here, last first: the API takes nothing more before the rest drains. */
  readonly stop: StopInTurn;
}

interface Running {
  /** Commands that the API decides wake who performs their effects here, and spare others a read. */
  readonly deciding: SharedByDeciders;
  readonly payments: Payments;
  readonly stores: Stores;
  readonly system: System;
  /** What other processes say; undefined where there can be none, or it is none of ours. */
  readonly others: BoardView | undefined;
}

export interface RunningRoles {
  /** Of its health and metrics, and of its API. */
  readonly url: string;
  /** Each resolves, if ever, with what the process must not go on after. */
  readonly failures: readonly Promise<Error>[];
}

/** Starts what a process is to do. */
export async function runRoles(part: RolesPart): Promise<RunningRoles> {
  const { http, name, stop } = part;
  const metrics = new PrometheusMetrics();
  metrics.gauge("build_info", 1, { version: refoldVersion(), node: process.versions.node });
  const health = new ProcessHealth({ name, metrics });
  if (http.serves === "api") {
    const running = await startParts(part, health);
    await untilAtWork(running.system.consumers, patience.ofApi);
    const url = await serveApi({ ...part, role: http, health, ...running });
    return { url, failures: failuresOf(running) };
  }
  const inTime = await probesInTime(http, health);
  stop.add("health and metrics", () => inTime[Symbol.asyncDispose]());
  const running = await startParts(part, health);
  await untilAtWork(running.system.consumers, patience.ofProbes);
  const probes = await inTime.listening();
  stop.add("readiness", () => probes.drain());
  return { url: probes.url, failures: failuresOf(running) };
}

/** Commands wait for the API; who only looks on can wait longer. */
const patience = {
  ofApi: { firstMs: 2_000, restMs: 250 },
  ofProbes: { firstMs: 5_000, restMs: 5_000 },
} as const;

const failuresOf = ({ system: { consumers } }: Running): Promise<Error>[] =>
  consumers ? [consumers.failed] : [];

async function startParts(part: RolesPart, health: ProcessHealth): Promise<Running> {
  const { database, servers, name, roles, stop, rebuilding, auditRestMs, offerMs } = part;
  const { url } = database;
  const { metrics } = health;
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
  const deciding = sharedByDeciders();
  const payments = paymentsOf(part, { stores, deciding, metrics });
  stop.add("payments", () => payments[Symbol.asyncDispose]());
  const system = await openSystem({
    definitions: applicationWith({ offerMs }),
    stores,
    url,
    roles,
    metrics,
    report,
    rebuilding,
    auditRestMs,
    deciding,
    performers: payments.performers,
  });
  stop.add("engine", () => system[Symbol.asyncDispose](), 25_000);
  if (roles.has("consumers")) {
    const chores = startHousekeeping({ stores, definitions: application, report });
    stop.add("housekeeping", () => chores[Symbol.asyncDispose]());
  }
  if (database.kind === "own") {
    const told = tellDisk({ room: database.room, metrics, clock: systemClock, report });
    stop.add("metrics of the disk", () => told[Symbol.asyncDispose]());
  }
  const others = dependsOnOthers(part) ? boardView(stores, stop) : undefined;
  health.started({ system, stores, others });
  return { stores, system, others, deciding, payments };
}

interface PaymentsPart extends Pick<Running, "stores" | "deciding"> {
  readonly metrics: Metrics;
}

function paymentsOf(
  { paymentSettings: settings, database: { url }, roles }: RolesPart,
  { stores, deciding, metrics }: PaymentsPart,
): Payments {
  const { eventStore, codec, effectLedger } = stores;
  const random = new SystemRandom();
  const ports = { eventStore, codec, random, clock: systemClock, tracer: processTracer() };
  const decider = new Decider({ ...ports, ...deciding, metrics });
  const performs = roles.has("consumers") ? "all" : "nothing";
  return openPayments({ settings, url, performs, decider, effectLedger, report: reportToTerminal });
}

/** Whoever answers queries, or shares partitions with others. */
const dependsOnOthers = ({ database, http, roles }: RolesPart): boolean =>
  othersOn(database) === "possible" && (http.serves === "api" || roles.has("consumers"));

interface ApiPart extends Omit<RolesPart, "http">, Running {
  readonly role: ApiRole;
  readonly health: ProcessHealth;
}

async function serveApi({ role, health, database, stop, ...running }: ApiPart): Promise<string> {
  // Loaded only now: that takes half of the start, and no record is applied meanwhile.
  const { listenApi } = await import("./api.ts");
  const room = database.kind === "own" ? { room: database.room } : {};
  const api = await listenApi({ ...running, health, ...role, ...room });
  stop.add("API", () => api.close());
  return api.url;
}

function boardView({ board }: Pick<Stores, "board">, stop: StopInTurn): BoardView {
  const report = reportToTerminal;
  const view = new BoardView({ board, clock: systemClock, report, except: instanceName });
  stop.add("view of the status board", () => view[Symbol.asyncDispose]());
  return view;
}
