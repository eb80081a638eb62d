import { onTestFinished } from "vitest";

import { Decider } from "../../engine/decision/decider.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryDeadlines } from "../../engine/memory/deadlines.ts";
import { MemoryEffectLedger } from "../../engine/memory/effect-ledger.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryProcessorStore } from "../../engine/memory/processor-store.ts";
import { MemoryReadModelReader } from "../../engine/memory/read-model-reader.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { noTracer, type Tracer } from "../../engine/ports/tracing.ts";
import { globalPosition } from "../../engine/position.ts";
import { run } from "../../engine/runner/run.ts";
import { realClock, realRandom, ScriptedAssignment } from "../engine/process.ts";
import { recordOf } from "../engine/published-record.ts";
import { askLater, charging, news, orders, parcels, processors, progress } from "./workflow.ts";

/** The workflow at work in memory: a store, a log that a capture publishes to, and a runner. */
export class MemorySystem {
  readonly effects = new MemoryEffectLedger({ clock: realClock });
  readonly deadlines = new MemoryDeadlines();
  readonly eventStore = new MemoryEventStore({
    clock: realClock,
    effectLedger: this.effects,
    deadlines: this.deadlines,
  });
  readonly codec = new JsonCodec();
  readonly log = new MemoryRecordLog();
  readonly readModels = new MemoryReadModelStore();
  readonly reader = new MemoryReadModelReader({ store: this.readModels });
  readonly deadLetters = new MemoryDeadLetters();
  readonly decider: Decider;
  readonly #tracer: Tracer;

  constructor(tracer: Tracer = noTracer) {
    const { eventStore, codec } = this;
    const ports = { clock: realClock, random: realRandom, metrics: noMetrics, tracer };
    this.decider = new Decider({ eventStore, codec, ...ports });
    this.#tracer = tracer;
  }

  async start(): Promise<void> {
    for (const topic of [orders, parcels, news]) {
      await this.codec.prepare(topic);
      await this.log.ensureTopic({ name: topic.name, partitions: topic.partitions });
    }
    const { log, codec, decider, readModels, deadlines: store, eventStore } = this;
    const appendAll = eventStore.appendAll.bind(eventStore);
    const runner = await run({
      projections: [progress],
      processors,
      log,
      codec,
      decider,
      readModels,
      processorStore: new MemoryProcessorStore({ appendAll }),
      assignment: new ScriptedAssignment(),
      clock: realClock,
      random: realRandom,
      tracer: this.#tracer,
      limits: { lingerMs: 1 },
      effects: { ledger: this.effects, performers: [charging] },
      deadlines: { store, eventStore, types: [askLater] },
    });
    const ending = new AbortController();
    const captured = this.#capture(ending.signal);
    onTestFinished(async () => {
      ending.abort();
      await Promise.all([captured, runner.stop()]);
    });
  }

  async #capture(signal: AbortSignal): Promise<void> {
    const after = globalPosition(0);
    for await (const page of this.eventStore.subscribe({ after }, signal)) {
      for (const event of page) {
        const { topic, partition } = event;
        await this.log.append([{ topic, partition, records: [recordOf(event)] }]);
      }
    }
  }
}
