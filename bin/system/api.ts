import {
  type ApiOptions,
  buildApi,
  type ConsumerHealth,
  type ServerTls,
  type TrustedProxies,
} from "../../api/index.ts";
import { Decider } from "../../engine/decision/decider.ts";
import type { SharedByDeciders } from "../../engine/decision/shared.ts";
import { commandsWhileRoom, type Room } from "./commands-while-room.ts";
import type { AccessSettings } from "../access-settings.ts";
import { type Address, listenOn, type Listening } from "../port.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import type { System } from "../system.ts";
import { openAccess } from "./access.ts";
import type { BoardView } from "./board-view.ts";
import { letterAdministration } from "../dead-letters/administration.ts";
import { application } from "./definitions.ts";
import { openHistory } from "./history.ts";
import { liveSources } from "./live.ts";
import { LoopLag } from "./loop-lag.ts";
import type { Payments } from "./payments.ts";
import type { ProcessHealth } from "./process-health.ts";
import type { Stores } from "./stores.ts";
import { processTracer } from "./tracer.ts";
import { traceAdministration } from "./traces.ts";

export interface ApiPart {
  readonly stores: Stores;
  readonly system: System;
  readonly health: ProcessHealth;
  /** Shared with whoever else decides in this process. */
  readonly deciding: SharedByDeciders;
  /** Providers that tell their outcomes over HTTP. */
  readonly payments: Pick<Payments, "webhooks">;
  readonly address: Address;
  /** What other processes on this database say; undefined where there can be none. */
  readonly others: Pick<BoardView, "ageMs"> | undefined;
  /** Of the data folder's disk; left out where the database is the user's own. */
  readonly room?: Room;
  /** Bounds of the API; without them its defaults. */
  readonly limits?: ApiOptions;
  /** `off`: nobody is asked who he is. */
  readonly access: "off" | AccessSettings;
  /** Left out: HTTP without TLS. */
  readonly tls?: ServerTls;
  /** Left out: a client's address is that of its connection. */
  readonly trustedProxies?: TrustedProxies;
}

/** On registration day thousands of clients come at once. */
const listeners = 16;

/** Serves the API. @throws CommandFailure when the port can't be had. */
export async function listenApi(part: ApiPart): Promise<Listening> {
  const { stores, health, address, room = { full: false } } = part;
  const { metrics, metricsText, copies } = health;
  const random = new SystemRandom();
  const clock = systemClock;
  const { eventStore, codec, reader, log } = stores;
  const tracer = processTracer();
  const ports = { eventStore, codec, random, clock, metrics, tracer };
  const decider = new Decider({ ...ports, ...part.deciding, as: "command" });
  const history = openHistory(stores, application.projections);
  const live = liveSources({
    stores,
    freshnessMs: (name) => health.health().find(({ consumer }) => consumer === name)?.ageMs,
  });
  const opened =
    part.access === "off" ? undefined : await openAccess(part.access, { ...stores, metrics });
  const app = buildApi({
    ...(opened === undefined ? {} : { access: opened.access }),
    decider: live.commands.counting(commandsWhileRoom(decider, room)),
    live,
    idempotencyKeys: stores.idempotencyKeys,
    webhooks: part.payments.webhooks,
    eventStore,
    reader,
    history,
    codec,
    log,
    clock,
    random,
    metrics,
    tracer,
    health: () => [...healthOfDisk(room), ...health.health()],
    metricsText,
    copies,
    ageMs: (projection) => {
      const ageMs = oldestMs(projection, part);
      return ageMs === undefined ? undefined : ageMs + stores.behindMs(projection);
    },
    loopLagMs: new LoopLag().ms,
    ...(stores.subjects === undefined ? {} : { registry: stores.subjects }),
    administration: { ...stores, projections: application.projections },
    traces: traceAdministration(stores, application),
    letters: letterAdministration(stores, application),
    ...(part.limits === undefined ? {} : { options: part.limits }),
    ...(part.tls === undefined ? {} : { tls: part.tls }),
    ...(part.trustedProxies === undefined ? {} : { trustedProxies: part.trustedProxies }),
  });
  app.addHook("onClose", async () => {
    await opened?.[Symbol.asyncDispose]();
    history[Symbol.dispose]();
  });
  return listenOn(app, address, listeners);
}

/** Of the partitions here and elsewhere; undefined where some were never seen to be current. */
function oldestMs(
  projection: string,
  { system: { consumers }, others }: Pick<ApiPart, "system" | "others">,
): number | undefined {
  const elsewhereMs = others?.ageMs(projection);
  const hereMs = consumers?.ageMs(projection);
  if (hereMs !== undefined) return Math.max(hereMs, elsewhereMs ?? 0);
  const own = consumers?.health().find(({ consumer }) => consumer === projection);
  const ownsNothing = own === undefined || own.state === "created";
  return ownsNothing ? elsewhereMs : undefined;
}

/** Told only while it keeps commands from being taken. */
function healthOfDisk({ full }: Room): ConsumerHealth[] {
  if (!full) return [];
  const reason = "too little room is left for commands";
  return [{ consumer: "disk", state: "full", ageMs: undefined, reason }];
}
