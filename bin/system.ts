import type { Metrics } from "../engine/ports/metrics.ts";
import { StopInTurn } from "./stop-in-turn.ts";
import { startCapture, type RunningCapture } from "./system/capture.ts";
import { startConsumers, type RunningConsumers } from "./system/consumers.ts";
import { checkFramingRegistry } from "./system/registry.ts";
import type { Stores } from "./system/stores.ts";
import type { Definitions } from "./system/definitions.ts";

/** What a process does beside deciding commands. */
export type Role = "capture" | "consumers";

export interface SystemOptions {
  readonly definitions: Definitions;
  readonly stores: Stores;
  readonly url: string;
  readonly roles: ReadonlySet<Role>;
  readonly metrics: Metrics;
  readonly report: (message: string) => void;
  /** See `ConsumersPart`. */
  readonly lingerMs?: number;
}

export interface System extends AsyncDisposable {
  readonly capture: RunningCapture | undefined;
  readonly consumers: RunningConsumers | undefined;
}

/**
 * Starts the engine on its stores, without HTTP: schemas are registered, then the capture makes its
 * slot (before the first append, so that nothing is missed), then processors and projections run.
 * It stops in the reverse order.
 */
export async function openSystem(options: SystemOptions): Promise<System> {
  const { stores, roles, report } = options;
  const stop = new StopInTurn(report);
  try {
    await checkFramingRegistry(stores);
    await prepareTopics(stores, options.definitions);
    const capture = roles.has("capture") ? await startCapture(options) : undefined;
    if (capture) stop.add("capture", () => capture[Symbol.asyncDispose]());
    const consumers = roles.has("consumers") ? await startConsumers(options) : undefined;
    if (consumers) stop.add("processors and projections", () => consumers[Symbol.asyncDispose]());
    return { capture, consumers, [Symbol.asyncDispose]: () => stop[Symbol.asyncDispose]() };
  } catch (error) {
    await stop[Symbol.asyncDispose]();
    throw error;
  }
}

/** Schemas are registered and topics made before anything is appended or published. */
async function prepareTopics(
  { codec, log }: Stores,
  { eventTopics, changeTopics }: Definitions,
): Promise<void> {
  for (const topic of eventTopics) await codec.prepare(topic);
  for (const topic of [...eventTopics, ...changeTopics]) {
    const { name, partitions } = topic;
    const retention = "retentionMs" in topic ? { retentionMs: topic.retentionMs } : {};
    await log.ensureTopic({ name, partitions, ...retention });
  }
}
