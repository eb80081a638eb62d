import type { EffectPerformer } from "../engine/effect.ts";
import type { SharedByDeciders } from "../engine/decision/shared.ts";
import type { Metrics } from "../engine/ports/metrics.ts";
import type { Tracer } from "../engine/ports/tracing.ts";
import { StopInTurn } from "./stop-in-turn.ts";
import { systemClock } from "./system-clock.ts";
import { assertOnlyCapture, untilCaptured } from "./system/captured.ts";
import { startAudits } from "./system/audits.ts";
import { publishLetters } from "./system/dead-letter-topics.ts";
import { tellBuilds } from "./system/build-metrics.ts";
import { tellSlots } from "./system/server-metrics.ts";
import { slotsOf } from "./system/slots.ts";
import { startCapture, transactionTopic, type RunningCapture } from "./system/capture.ts";
import { startConsumers, type RunningConsumers } from "./system/consumers.ts";
import { defaultRebuilding, type Rebuilding, startRebuildDesk } from "./system/rebuilds.ts";
import { checkFramingRegistry } from "./system/registry.ts";
import type { Stores } from "./system/stores.ts";
import type { Definitions } from "./system/definitions.ts";

/** How long a process waits for the slot of a capture that starts at the same time. */
const slotTimeoutMs = 30_000;

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
  /** See `ConsumersPart`. */
  readonly performers?: readonly EffectPerformer[];
  /** See `ConsumersPart`. */
  readonly deciding?: SharedByDeciders;
  /** See `ConsumersPart`. */
  readonly tracer?: Tracer;
  /** What processes with consumers do about rebuilds (default: `defaultRebuilding`). */
  readonly rebuilding?: Rebuilding;
  /** See `AuditsPart`. */
  readonly auditRestMs?: number;
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
    const capture = await startOrFindCapture(options);
    if (capture) stop.add("capture", () => capture[Symbol.asyncDispose]());
    const consumers = roles.has("consumers") ? await startConsumers(options) : undefined;
    if (consumers) {
      stop.add("processors and projections", () => consumers[Symbol.asyncDispose]());
      const { projections } = options.definitions;
      const { rebuilding = defaultRebuilding } = options;
      const desk = startRebuildDesk({ ...options, ...rebuilding, projections });
      stop.add("rebuilds", () => desk[Symbol.asyncDispose]());
      const builds = tellBuilds({ ...options, ...stores, projections, clock: systemClock });
      stop.add("metrics of builds", () => builds[Symbol.asyncDispose]());
      const slots = slotsOf(stores.servers, options.definitions);
      const told = tellSlots({ ...options, pool: stores.pool, slots, clock: systemClock });
      stop.add("metrics of slots", () => told[Symbol.asyncDispose]());
      const topics = await publishLetters(options);
      if (topics) stop.add("topics of dead letters", () => topics[Symbol.asyncDispose]());
      const audits = startAudits({ ...options, projections, consumers });
      stop.add("audits and snapshots", () => audits[Symbol.asyncDispose]());
    }
    return { capture, consumers, [Symbol.asyncDispose]: () => stop[Symbol.asyncDispose]() };
  } catch (error) {
    await stop[Symbol.asyncDispose]();
    throw error;
  }
}

/** Where others capture, nothing may be appended before they can see it. */
async function startOrFindCapture(options: SystemOptions): Promise<RunningCapture | undefined> {
  const { definitions, roles, stores } = options;
  const { capture } = stores.servers;
  if (roles.has("capture") && capture === "embedded") {
    const { pool, embeddedLog } = stores;
    // Debezium's log is Kafka.
    if (embeddedLog === undefined) await assertOnlyCapture({ definitions, pool }, "embedded");
    return startCapture(options);
  }
  await untilCaptured({
    definitions,
    capture,
    pool: stores.pool,
    clock: systemClock,
    timeoutMs: capture === "embedded" ? slotTimeoutMs : 0,
  });
  return undefined;
}

/**
 * Schemas are registered and topics made before anything is appended or published. All at once:
 * one after the other, sixty answers of busy servers would make a start wait for many seconds.
 */
export async function prepareTopics(
  { codec, log }: Pick<Stores, "codec" | "log">,
  { eventTopics, changeTopics }: Pick<Definitions, "eventTopics" | "changeTopics">,
): Promise<void> {
  const topics = [...eventTopics, ...changeTopics, transactionTopic];
  await Promise.all([
    ...eventTopics.map((topic) => codec.prepare(topic)),
    ...topics.map((topic) => {
      const { name, partitions } = topic;
      const retention = "retentionMs" in topic ? { retentionMs: topic.retentionMs } : {};
      return log.ensureTopic({ name, partitions, ...retention });
    }),
  ]);
}
