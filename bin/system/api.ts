import type { AddressInfo } from "node:net";

import type { PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import { type ApiOptions, buildApi, type ConsumerHealth } from "../../api/index.ts";
import { Decider } from "../../engine/decision/decider.ts";
import { commandsWhileRoom, type Room } from "./commands-while-room.ts";
import { asPortFailure, type Address } from "../port.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import type { System } from "../system.ts";
import type { BoardView } from "./board-view.ts";
import { application } from "./definitions.ts";
import { ProcessLoad } from "./load.ts";
import type { Stores } from "./stores.ts";

export interface ApiPart {
  readonly stores: Stores;
  readonly system: System;
  readonly metrics: PrometheusMetrics;
  readonly address: Address;
  /** Where the consumers run in other processes: what these say of them. */
  readonly others?: Pick<BoardView, "ageMs" | "health">;
  /** Of the data folder's disk; left out where the database is the user's own. */
  readonly room?: Room;
  /** Bounds of the API; without them its defaults. */
  readonly limits?: ApiOptions;
}

export interface ListeningApi {
  readonly url: string;
  /** Refuses new commands, finishes those in flight, ends streams. */
  close(): Promise<void>;
}

/** Serves the API. @throws CommandFailure when the port can't be had. */
export async function listenApi(part: ApiPart): Promise<ListeningApi> {
  const { stores, system, metrics, address, others, room = { full: false } } = part;
  const { projections, processors } = application;
  const remote = [...projections, ...processors].map(({ name }) => name);
  const random = new SystemRandom();
  const clock = systemClock;
  const { eventStore, codec, reader, log } = stores;
  const decider = new Decider({ eventStore, codec, random, clock, metrics, as: "command" });
  const load = new ProcessLoad(decider);
  const app = buildApi({
    decider: commandsWhileRoom(decider, room),
    eventStore,
    reader,
    codec,
    log,
    clock,
    random,
    metrics,
    health: () => [...healthOfDisk(room), ...healthOf(system), ...(others?.health(remote) ?? [])],
    metricsText: () => metrics.text(),
    ageMs: (projection) => {
      const ageMs = (system.consumers ?? others)?.ageMs(projection);
      return ageMs === undefined ? undefined : ageMs + stores.behindMs(projection);
    },
    load: () => load.now(),
    ...(stores.subjects === undefined ? {} : { registry: stores.subjects }),
    ...(part.limits === undefined ? {} : { options: part.limits }),
  });
  app.addHook("onClose", async () => load[Symbol.dispose]());
  try {
    await app.listen({ host: address.host, port: address.port });
  } catch (error) {
    await app.close();
    throw asPortFailure(error, address);
  }
  const { port } = app.server.address() as AddressInfo;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return { url: `http://${host}:${port}`, close: () => app.close() };
}

/** Told only while it keeps commands from being taken. */
function healthOfDisk({ full }: Room): ConsumerHealth[] {
  if (!full) return [];
  const reason = "too little room is left for commands";
  return [{ consumer: "disk", state: "full", ageMs: undefined, reason }];
}

function healthOf({ capture, consumers }: System): ConsumerHealth[] {
  const failure = capture?.failure;
  const captured: ConsumerHealth = {
    consumer: "capture",
    state: failure ? "halted" : "running",
    ageMs: capture?.lagMs,
    reason: failure?.message,
  };
  return [...(capture ? [captured] : []), ...(consumers?.health() ?? [])];
}
