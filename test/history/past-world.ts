import { defaultHistoryLimits, History } from "../../engine/history/past-reader.ts";
import type { HistorySource } from "../../engine/history/source.ts";
import { ManualClock, SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryComparisons } from "../../engine/memory/comparisons.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryGenerations } from "../../engine/memory/generations.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { MemorySnapshots } from "../../engine/memory/snapshots.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { Comparisons } from "../../engine/ports/comparisons.ts";
import type { EventStore } from "../../engine/ports/event-store.ts";
import type { Generations } from "../../engine/ports/generations.ts";
import type { Generation, ReadModelStore } from "../../engine/ports/read-model-store.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import type { Snapshots } from "../../engine/ports/snapshots.ts";
import { globalPosition } from "../../engine/position.ts";
import type { AnyProjection, ErasedEventProjection } from "../../engine/projection.ts";
import type { Cuts } from "../../engine/replay/cuts.ts";
import { Replay } from "../../engine/replay/replay.ts";
import { topicsOf } from "../../engine/task/pipeline.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll, type GivenEvent } from "../../engine/testing/given.ts";
import type { AnyEventType, EventTopic } from "../../engine/topic.ts";
import { recordOf } from "../engine/published-record.ts";
import { board, counters, notes, tally } from "../engine/seats.ts";

/** The same rows, told by the event store's tags. */
export const taggedBoard: ErasedEventProjection = {
  ...board,
  name: "tagged-board",
  history: (key: string) => [`code:${key}`],
};

/** Its rows' keys tell nothing of the partition. */
export const renamedBoard: ErasedEventProjection = {
  ...board,
  name: "renamed-board",
  key: (event: never) => `row of ${(event as { readonly code: string }).code}`,
};

export const projections: readonly ErasedEventProjection[] = [
  board,
  tally,
  taggedBoard,
  renamedBoard,
];

export interface WorldPorts {
  readonly clock: Clock;
  readonly eventStore: EventStore;
  readonly log: RecordLog;
  readonly store: ReadModelStore;
  readonly snapshots: Snapshots;
  readonly comparisons: Comparisons;
  readonly generations: Generations;
}

function memoryPorts() {
  const clock = new ManualClock(1_000);
  const store = new MemoryReadModelStore();
  return {
    clock,
    store,
    eventStore: new MemoryEventStore({ clock }),
    log: new MemoryRecordLog(),
    snapshots: new MemorySnapshots({ store, clock }),
    comparisons: new MemoryComparisons({ store }),
    generations: new MemoryGenerations({ store, clock }),
  };
}

type MemoryPorts = ReturnType<typeof memoryPorts>;

interface Happened extends GivenEvent {
  readonly recordedAtMs: number;
}

/**
 * An event store, the log that its capture publishes to, and read models that follow the log, one
 * step at a time.
 */
export class PastWorld<Ports extends WorldPorts = MemoryPorts> {
  readonly ports: Ports;
  readonly random = new SeededRandom(1);
  readonly codec = new JsonCodec();
  /** All that happened, in order, published or not. */
  readonly events: Happened[] = [];
  readonly source: HistorySource;
  #published = 0n;

  private constructor(ports: Ports) {
    this.ports = ports;
    this.source = { ...ports, codec: this.codec, random: this.random };
  }

  get clock(): Ports["clock"] {
    return this.ports.clock;
  }

  get eventStore(): Ports["eventStore"] {
    return this.ports.eventStore;
  }

  get log(): Ports["log"] {
    return this.ports.log;
  }

  get store(): Ports["store"] {
    return this.ports.store;
  }

  get snapshots(): Ports["snapshots"] {
    return this.ports.snapshots;
  }

  get comparisons(): Ports["comparisons"] {
    return this.ports.comparisons;
  }

  get generations(): Ports["generations"] {
    return this.ports.generations;
  }

  static open(): Promise<PastWorld> {
    return PastWorld.on(memoryPorts());
  }

  static async on<Ports extends WorldPorts>(ports: Ports): Promise<PastWorld<Ports>> {
    const world = new PastWorld(ports);
    for (const topic of [counters, notes]) {
      await world.codec.prepare(topic);
      await world.log.ensureTopic({ name: topic.name, partitions: topic.partitions });
    }
    return world;
  }

  history(source: Partial<HistorySource> = {}): History {
    return new History({ ...this.source, ...source, projections, ...defaultHistoryLimits });
  }

  /** Each event is recorded at the clock of now. */
  async happen(...events: readonly GivenEvent[]): Promise<void> {
    for (const { type, event } of events) {
      const topic = topicOf(type);
      const key = String((event as Record<string, unknown>)[topic.key]);
      const id = `event-${this.events.length}`;
      const appended = {
        id,
        type: type.fullName,
        topic: topic.name,
        partition: partitionOf(key, topic.partitions),
        key,
        value: this.codec.encode(topic, type, event),
        tags: [`code:${key}`],
        correlationId: id,
      };
      const request = { events: [appended], condition: [] };
      const verdict = await this.eventStore.append(request, { as: "command" });
      if (verdict.outcome !== "appended") throw new Error(verdict.outcome);
      this.events.push({ type, event, recordedAtMs: verdict.recordedAtMs });
    }
  }

  /** The capture's work: what happened stands in the log. */
  async publish(): Promise<void> {
    const after = globalPosition(this.#published);
    for await (const page of this.eventStore.read({ after })) {
      for (const event of page) {
        const { topic, partition } = event;
        await this.log.append([{ topic, partition, records: [recordOf(event)] }]);
        this.#published = event.position;
      }
    }
  }

  /** Brings the serving generation to the log's end. */
  async follow(projection: AnyProjection, discarded?: Cuts): Promise<Generation> {
    const generation = await this.store.open(readModelOf(projection));
    const { store, log, codec, clock, random } = this;
    const shared = { projection, generation, store, log, codec, clock, random };
    await using replay = await Replay.begin({ ...shared, consumer: "live" });
    const { signal } = new AbortController();
    await replay.to(discarded ?? (await this.ends(projection)), { signal });
    return generation;
  }

  async ends(projection: AnyProjection): Promise<Cuts> {
    const cuts = new Map();
    for (const { name } of topicsOf(projection)) {
      for (const { partition, end } of await this.log.bounds(name)) {
        cuts.set(`${name}/${partition}`, end);
      }
    }
    return cuts;
  }

  /** The independent fold of what was recorded at or before a time. */
  rowsAt(projection: ErasedEventProjection, atMs: number): Record<string, unknown> {
    const events = this.events.filter(({ recordedAtMs }) => recordedAtMs <= atMs);
    return Object.fromEntries(foldAll(projection, events));
  }
}

export const topicOf = (type: AnyEventType): EventTopic =>
  ([counters, notes] as readonly EventTopic[]).find(({ events }) =>
    events.some(({ fullName }) => fullName === type.fullName),
  ) as EventTopic;
