import { RecordError } from "../errors.ts";
import { framedSchemaId, frameBytes, type EventCodec, type EventReader } from "../ports/codec.ts";
import type { EventStore, StoredEvent } from "../ports/event-store.ts";
import type { EventTopic } from "../topic.ts";
import type { KnownModel, PositionedEvent } from "./known-model.ts";

/** In one query: more are read in several. */
const modelsPerRead = 500;

const none: readonly KnownModel[] = [];

/** Reads models from the store, and events into models. */
export class ModelReader {
  readonly #store: EventStore;
  readonly #codec: EventCodec;
  readonly #readers = new Map<string, EventReader>();

  constructor(options: { readonly eventStore: EventStore; readonly codec: EventCodec }) {
    this.#store = options.eventStore;
    this.#codec = options.codec;
  }

  /** Brings stale models up to what has committed, each from where it stands. */
  async refresh(stale: readonly KnownModel[]): Promise<void> {
    for (const some of inParts(stale, modelsPerRead)) await this.#read(some);
  }

  /** Folds events in order of position into those of the models that read them. */
  async fold(models: readonly KnownModel[], events: readonly StoredEvent[]): Promise<void> {
    await this.learn(models, events);
    this.foldLearnt(models, events);
  }

  /** As `fold`, at once; false when an unknown schema has to be learnt first. */
  foldLearnt(models: readonly KnownModel[], events: readonly StoredEvent[]): boolean {
    const byTag = Map.groupBy(models, (model) => model.tag);
    for (const stored of events) {
      if (!this.#foldOne(byTag, stored)) return false;
    }
    return true;
  }

  /** Decoded once, however many models read it; an event has each of its tags once. */
  #foldOne(byTag: ReadonlyMap<string, readonly KnownModel[]>, stored: StoredEvent): boolean {
    let decoded: PositionedEvent | undefined;
    for (const tag of stored.tags) {
      for (const model of byTag.get(tag) ?? none) {
        const { topic } = model.model;
        if (stored.position <= model.upTo || stored.topic !== topic.name) continue;
        const event = decoded ?? this.#decode(topic, stored);
        if (event === "unknown") return false;
        if (event === undefined) continue;
        decoded = event;
        model.fold(event);
      }
    }
    return true;
  }

  /** Learns the schemas of events, so that `foldLearnt` can decode them. */
  async learn(models: readonly KnownModel[], events: readonly StoredEvent[]): Promise<void> {
    const topics = new Map(models.map(({ model }) => [model.topic.name, model.topic]));
    for (const topic of topics.values()) {
      const reader = this.#reader(topic);
      for (const stored of events) {
        const id = schemaIdOf(stored);
        if (stored.topic === topic.name && !reader.known(id)) await reader.learn(id);
      }
    }
  }

  async #read(models: readonly KnownModel[]): Promise<void> {
    const items = models.map((model) => model.condition(model.upTo));
    for await (const page of this.#store.read({ items })) await this.fold(models, page);
    for (const model of models) model.stale = false;
  }

  #decode(topic: EventTopic, stored: StoredEvent): PositionedEvent | "unknown" | undefined {
    const decoder = this.#reader(topic).known(schemaIdOf(stored));
    if (!decoder) return "unknown";
    if (decoder.type === undefined) return undefined;
    return {
      name: decoder.type,
      tags: stored.tags,
      event: decoder.decode(stored.value, frameBytes, stored.value.length),
      meta: { id: stored.id, recordedAtMs: stored.recordedAtMs },
      position: stored.position,
    };
  }

  #reader(topic: EventTopic): EventReader {
    const known = this.#readers.get(topic.name);
    if (known) return known;
    const reader = this.#codec.events(topic.events);
    this.#readers.set(topic.name, reader);
    return reader;
  }
}

function schemaIdOf({ id, value }: StoredEvent): number {
  const schemaId = framedSchemaId(value, 0, value.length);
  if (schemaId !== undefined) return schemaId;
  throw new RecordError("decode", `The stored event ${id} has no frame with a schema id.`);
}

function* inParts(models: readonly KnownModel[], size: number): Generator<readonly KnownModel[]> {
  for (let at = 0; at < models.length; at += size) yield models.slice(at, at + size);
}
