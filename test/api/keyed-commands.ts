import type { ApiOptions } from "../../api/index.ts";
import { Decider } from "../../engine/decision/decider.ts";
import type { CommandCall } from "../../engine/decision/definition.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import type { JsonCodec } from "../../engine/memory/json-codec.ts";
import type { EventStore } from "../../engine/ports/event-store.ts";
import type { IdempotencyKeys } from "../../engine/ports/idempotency-keys.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { realClock } from "./real-clock.ts";
import { serverOfTest } from "./server.ts";

/** What the processes of a test share. */
export interface SharedStore {
  readonly eventStore: EventStore;
  readonly idempotencyKeys: Pick<IdempotencyKeys, "find">;
  readonly codec: JsonCodec;
}

type Headers = Readonly<Record<string, string>>;

let seed = 0;

/** A server with a decider of its own on a store: another process on it, as it were. */
export async function processOn(store: SharedStore, options: Partial<ApiOptions> = {}) {
  const { eventStore, idempotencyKeys, codec } = store;
  await codec.prepare(moduleEvents);
  const random = new SeededRandom((seed += 1));
  const ports = { eventStore, codec, random, clock: realClock, metrics: noMetrics };
  const decider = new Decider(ports);
  const deps = { decider, eventStore, idempotencyKeys };
  const { app } = await serverOfTest({ deps, options });
  // An injected request begins when it is awaited, which an async function does at once.
  const send = async (url: string, payload: unknown, headers: Headers = {}) =>
    app.inject({ method: "POST", url, payload: payload as object, headers });
  return {
    app,
    must: async (call: CommandCall) => {
      const result = await decider.execute(call, { correlationId: "test" });
      if (result.outcome !== "accepted") throw new Error(JSON.stringify(result));
    },
    register: (key: string, payload: unknown = ada) =>
      send("/registrations", payload, { "idempotency-key": key }),
    remove: (registrationId: string, key: string) =>
      app.inject({
        method: "DELETE",
        url: `/registrations/${registrationId}`,
        headers: { "idempotency-key": key },
      }),
  };
}

export const ada = { moduleCode: "MA101", studentId: "ada" };

/** Registrations that the store holds. */
export async function registrationsIn({ eventStore }: SharedStore): Promise<number> {
  let found = 0;
  for await (const events of eventStore.read({ lane: { topic: moduleEvents.name } })) {
    found += events.filter(({ type }) => type.endsWith(".ModuleRegistered")).length;
  }
  return found;
}
