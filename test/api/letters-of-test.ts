import type { LetterAdministration } from "../../api/dead-letters/administration.ts";
import { letterAdministration } from "../../bin/dead-letters/administration.ts";
import { avroCodec, StoredSchemaRegistry } from "../../connectors/registry/index.ts";
import { header } from "../../engine/envelope.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryGenerations } from "../../engine/memory/generations.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryProcessorStore } from "../../engine/memory/processor-store.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import type { DeadLetter } from "../../engine/ports/dead-letters.ts";
import { offset, sequence } from "../../engine/position.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { ModuleCapacityChanged } from "../../schemas/index.ts";
import { catalogueModules, moduleEvents } from "../../schemas/topics.ts";

/** Dead letters in memory, with the application's schemas in a registry. */
export class LettersOfTest {
  nowMs = Date.parse("2026-11-21T09:00:00Z");
  readonly store = new MemoryDeadLetters({ nowMs: () => this.nowMs });
  readonly registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
  readonly codec = avroCodec({ registry: this.registry });
  readonly #readModels = new MemoryReadModelStore();
  readonly administration: LetterAdministration = letterAdministration(
    {
      deadLetters: this.store,
      registry: this.registry,
      codec: this.codec,
      readModelStore: this.#readModels,
      generations: new MemoryGenerations({ store: this.#readModels, clock: new ManualClock() }),
      processorStore: new MemoryProcessorStore({ appendAll: () => [] }),
    },
    {
      eventTopics: [moduleEvents],
      changeTopics: [catalogueModules],
      projections: [seatAvailability],
      processors: [],
    },
  );
  #written = 0;

  /** Registers what the topic's events are written with. */
  async prepare(): Promise<this> {
    await this.codec.prepare(moduleEvents);
    await this.#readModels.open(readModelOf(seatAvailability));
    return this;
  }

  /** A change of a module's capacity, set aside. */
  capacity(moduleCode: string, capacity: number, over: Partial<DeadLetter> = {}): DeadLetter {
    this.#written += 1;
    const at = this.#written;
    const event = { moduleCode, capacity };
    return {
      consumer: "seat-availability",
      generation: 1,
      topic: moduleEvents.name,
      partition: 3,
      offset: offset(at),
      source: { kind: "lane", incarnation: "i-1", sequence: sequence(at) },
      timestampMs: this.nowMs,
      key: Buffer.from(moduleCode),
      value: this.codec.encode(moduleEvents, ModuleCapacityChanged, event),
      headers: [
        { name: header.type, value: Buffer.from(ModuleCapacityChanged.fullName) },
        { name: header.correlationId, value: Buffer.from(`c-${moduleCode}`) },
        { name: header.causationId, value: Buffer.from("cause-1") },
      ],
      disposition: "failed",
      cause: "fold",
      message: "Too many seats.",
      stack: "RangeError: Too many seats.\n  at fold",
      ...over,
    };
  }
}
