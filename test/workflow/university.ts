import type { CommandCall } from "../../engine/decision/definition.ts";
import type { CommandResult } from "../../engine/decision/outcome.ts";
import type { AnyRow } from "../../engine/columns.ts";
import type { CrashPoint } from "../../engine/crash-points.ts";
import { Decider } from "../../engine/decision/decider.ts";
import type { EffectLimits } from "../../engine/effects/limits.ts";
import { MemoryAssignment } from "../../engine/memory/assignment.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryDeadlines } from "../../engine/memory/deadlines.ts";
import { MemoryEffectLedger } from "../../engine/memory/effect-ledger.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryIdempotencyKeys } from "../../engine/memory/idempotency-keys.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryProcessorStore } from "../../engine/memory/processor-store.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { frameBytes } from "../../engine/ports/codec.ts";
import type { StoredEvent } from "../../engine/ports/event-store.ts";
import type { Random } from "../../engine/ports/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { PaymentProvider } from "../../processors/payments/index.ts";
import { paymentPerformers } from "../../processors/payments/index.ts";
import { globalPosition } from "../../engine/position.ts";
import type { AnyProjection, ErasedEventProjection } from "../../engine/projection.ts";
import type { AnyProcessor, ErasedEventProcessor } from "../../engine/processor.ts";
import { run } from "../../engine/runner/run.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { application } from "../../bin/system/definitions.ts";
import { realClock, until } from "../engine/process.ts";
import { recordOf } from "../engine/published-record.ts";
import { ProcessLife } from "./mortal.ts";

/** Definitions of the application that follow events: row changes have tests of their own. */
const processors = application.processors.filter(
  (one): one is ErasedEventProcessor => one.kind === "events",
) as readonly AnyProcessor[];
export const projections = application.projections.filter(
  (one): one is ErasedEventProjection => one.kind === "events",
) as readonly AnyProjection[];

const quickly = { initialMs: 1, maxMs: 10 };

export interface UniversityOptions {
  readonly random: Random;
  readonly provider: PaymentProvider;
  /** Is this record delivered once more, at this place of the log? (default: never) */
  readonly repeats?: () => boolean;
  /** Does the process die at this boundary? (default: never) */
  readonly diesAt?: (point: CrashPoint) => boolean;
  /** What is to be different in performing effects. */
  readonly effectLimits?: Partial<EffectLimits>;
}

interface Life {
  readonly life: ProcessLife;
  readonly decider: Decider;
  readonly runner: Runner;
}

/**
 * The whole application at work in memory: the real runner with all processors, projections, effects
 * and deadlines, on the reference adapters, in a process that can be killed at any moment. The
 * store's clock stands still until it is told to move.
 */
export class University implements AsyncDisposable {
  readonly clock = new ManualClock();
  /** The ledger's own, which moves on while everybody waits: leases of the dead run out. */
  readonly #ledgerClock = new ManualClock();
  readonly ledger = new MemoryEffectLedger({ clock: this.#ledgerClock });
  readonly deadlines = new MemoryDeadlines();
  readonly keys = new MemoryIdempotencyKeys({ clock: this.clock });
  readonly eventStore = new MemoryEventStore({
    clock: this.clock,
    effectLedger: this.ledger,
    deadlines: this.deadlines,
    idempotencyKeys: this.keys,
  });
  readonly log = new MemoryRecordLog();
  readonly codec = new JsonCodec();
  readonly deadLetters = new MemoryDeadLetters({ nowMs: () => this.clock.nowMs() });
  readonly readModels = new MemoryReadModelStore({ deadLetters: this.deadLetters });
  #processorStore = this.#newProcessorStore();
  readonly #options: UniversityOptions;
  #now: Life | undefined;
  #published = 0n;
  #commands = 0;

  private constructor(options: UniversityOptions) {
    this.#options = options;
  }

  static async open(options: UniversityOptions): Promise<University> {
    const university = new University(options);
    for (const topic of application.eventTopics) {
      await university.codec.prepare(topic);
      await university.log.ensureTopic({ name: topic.name, partitions: topic.partitions });
    }
    await university.start();
    return university;
  }

  async start(): Promise<void> {
    const { codec } = this;
    const { random, provider, diesAt = () => false, effectLimits } = this.#options;
    const life = new ProcessLife();
    const eventStore = life.of(this.eventStore);
    const shared = { codec, random, clock: realClock };
    const metrics = noMetrics;
    const decider = new Decider({ ...shared, eventStore, metrics, as: "processor" });
    const runner = await run({
      ...shared,
      projections,
      processors,
      log: life.of(this.log),
      readModels: life.of(this.readModels),
      processorStore: life.of(this.#processorStore),
      deadLetters: life.of(this.deadLetters),
      decider,
      assignment: new MemoryAssignment(),
      probe: { at: (point) => void (diesAt(point) && life.kill()) },
      limits: {
        lingerMs: 1,
        // What is awaited here is that every position stands at the end.
        positionLingerMs: 1,
        batchRecordsMax: 40,
        chunkRecordsMax: 15,
        backoff: { ...quickly, attemptsMax: 5 },
      },
      effects: {
        ledger: life.of(this.ledger),
        performers: paymentPerformers(life.of(provider)),
        limits: {
          pollMs: 5,
          tryTimeoutMs: 5_000,
          leaseMs: 6_000,
          backoff: { ...quickly, attemptsMax: 1_000 },
          ...effectLimits,
        },
      },
      deadlines: {
        store: life.of(this.deadlines),
        eventStore,
        types: application.deadlines,
        limits: { pollMs: 5, clockAgeMaxMs: 1 },
      },
    });
    this.#now = { life, decider, runner };
  }

  #newProcessorStore(): MemoryProcessorStore {
    const { deadLetters } = this;
    return new MemoryProcessorStore({
      appendAll: (requests) => this.eventStore.appendAll(requests),
      deadLetters,
    });
  }

  /** Another process, whose processors know nothing: they read everything from the beginning. */
  async restartFromZero(): Promise<void> {
    await this.kill();
    this.#processorStore = this.#newProcessorStore();
    await this.start();
  }

  /** Gives a command, as a client of the process of now. */
  async command<Answer>(call: CommandCall<Answer>): Promise<CommandResult<Answer>> {
    this.#commands += 1;
    const correlationId = `request-${this.#commands}`;
    return this.#alive.decider.execute(call, { correlationId });
  }

  /** SIGKILL: what was under way may have happened, and nothing more happens. */
  async kill(): Promise<void> {
    const { life, runner } = this.#alive;
    this.#now = undefined;
    life.kill();
    const gone = new AbortController();
    gone.abort();
    await runner.stop(gone.signal).catch(() => undefined);
  }

  /** The capture's work: what is recorded stands in the log, some of it twice. */
  async publish(): Promise<void> {
    const { repeats = () => false } = this.#options;
    for await (const page of this.eventStore.read({ after: globalPosition(this.#published) })) {
      for (const event of page) {
        const { topic, partition } = event;
        const records = repeats() ? [recordOf(event), recordOf(event)] : [recordOf(event)];
        await this.log.append([{ topic, partition, records }]);
        this.#published = event.position;
      }
    }
  }

  /** What is recorded and not performed yet, in a sentence; undefined: all is quiet. */
  async #unrest(): Promise<string | undefined> {
    await this.publish();
    this.#ledgerClock.advance(500);
    for (const definition of [...processors, ...projections]) {
      const behind = await this.#behind(definition);
      if (behind !== undefined) return behind;
    }
    const open = (await this.ledger.counts()).filter(({ state }) => state !== "done");
    if (open.length > 0)
      return `effects: ${open.map(({ kind, state }) => `${kind} ${state}`).join()}`;
    const names = application.deadlines.map(({ name }) => name);
    const nextMs = await this.deadlines.nextAtMs(names);
    if (nextMs !== undefined && nextMs <= this.clock.nowMs()) return "deadlines are due";
    const safe = await this.eventStore.safePosition();
    return safe > this.#published ? "events aren't published" : undefined;
  }

  async #behind(definition: AnyProcessor | AnyProjection): Promise<string | undefined> {
    const positions = await this.#positions(definition);
    for (const { topic, partition, position } of positions) {
      const bounds = await this.log.bounds(topic);
      const end = bounds.find((one) => one.partition === partition)?.end ?? 0n;
      if ((position?.nextOffset ?? 0n) < end) {
        return `${definition.name} stands at ${position?.nextOffset ?? 0n} of ${topic}/${partition}, which ends at ${end}`;
      }
    }
    return undefined;
  }

  async #positions(definition: AnyProcessor | AnyProjection) {
    if (!isProjection(definition)) return this.#processorStore.positions(definition.name);
    return this.readModels.positions(await this.readModels.open(readModelOf(definition)));
  }

  /** Waits until nothing follows any more from what has happened; time stands still meanwhile. */
  async quiet(): Promise<void> {
    let unrest: string | undefined = "nothing was looked at";
    const looked = async (): Promise<boolean> => {
      unrest = await this.#unrest();
      // Twice: what was recorded while the first look went on is found by the second.
      return unrest === undefined && (await this.#unrest()) === undefined;
    };
    await until("quiet", looked, 20_000).catch((error: unknown) => {
      throw new Error(`${String(error)} Last: ${unrest}. ${this.#health()}`, { cause: error });
    });
  }

  #health(): string {
    return this.#alive.runner
      .health()
      .flatMap(({ consumer, reasons }) => reasons.map((reason) => `${consumer}: ${reason}`))
      .join("; ");
  }

  async events(): Promise<readonly StoredEvent[]> {
    const all: StoredEvent[] = [];
    for await (const page of this.eventStore.read({})) all.push(...page);
    return all;
  }

  /** Events with their types' short names, decoded. */
  async decoded(): Promise<readonly { readonly name: string; readonly event: unknown }[]> {
    const types = application.eventTopics.flatMap(({ events }) => events);
    const reader = this.codec.events(types);
    const decoded: { name: string; event: unknown }[] = [];
    for (const { value } of await this.events()) {
      const decoder = await reader.learn(value.readInt32BE(1));
      const event = decoder.decode(value, frameBytes, value.length);
      decoded.push({ name: decoder.type ?? "unknown", event });
    }
    return decoded;
  }

  /** Rows of a read model, by key. */
  async rows(projection: AnyProjection): Promise<Map<string, AnyRow>> {
    const rows = new Map<string, AnyRow>();
    const generation = await this.readModels.open(readModelOf(projection));
    for await (const page of this.readModels.scan(generation)) {
      for (const { key, row } of page) rows.set(key, row);
    }
    return rows;
  }

  get #alive(): Life {
    if (this.#now === undefined) throw new Error("No process lives: start one.");
    return this.#now;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#now?.runner.stop();
    this.#now = undefined;
  }
}

const isProjection = (one: AnyProcessor | AnyProjection): one is AnyProjection => "row" in one;
