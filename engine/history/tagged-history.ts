import type { AnyRow } from "../columns.ts";
import { RecordError } from "../errors.ts";
import type { EventDecoder, EventReader } from "../ports/codec.ts";
import { frameBytes, framedSchemaId } from "../ports/codec.ts";
import type { StoredEvent } from "../ports/event-store.ts";
import type { ErasedEventProjection, ErasedFold } from "../projection.ts";
import { placeOf } from "../replay/cuts.ts";
import { keyBy } from "../task/event-intake.ts";
import { CurrentMeta, eventFolder, type Folder } from "../task/folder.ts";
import { HotRow } from "../task/hot-rows.ts";
import type { PassedOver } from "./passed-over.ts";
import type { HistorySource } from "./source.ts";

export interface TaggedFold {
  readonly key: string;
  /** Only events recorded at or before this time are read. */
  readonly atMs?: number;
  /** Only events below this sequence are folded; undefined: none of this lane. Left out: all. */
  readonly before?: (lane: {
    readonly topic: string;
    readonly partition: number;
  }) => number | undefined;
  readonly passedOver: PassedOver;
}

export interface TaggedRow {
  readonly row: AnyRow | undefined;
  /** The last event that was read for it; undefined: there was none. */
  readonly last: StoredEvent | undefined;
}

/**
 * Folds one row out of the event store, where the projection declares how its events are tagged:
 * its cost follows the row's own history, however long the log is.
 */
export class TaggedHistory {
  readonly #projection: ErasedEventProjection;
  readonly #source: Pick<HistorySource, "eventStore" | "codec">;
  readonly #reader: EventReader;
  readonly #topics: ReadonlySet<string>;

  constructor(
    projection: ErasedEventProjection,
    source: Pick<HistorySource, "eventStore" | "codec">,
  ) {
    this.#projection = projection;
    this.#source = source;
    const types = projection.from.flatMap((topic) => topic.events);
    const byName = new Map(types.map((type) => [type.fullName, type]));
    const folded = [...byName.values()].filter(({ name }) => projection.on[name] !== "ignore");
    this.#reader = source.codec.events(folded);
    this.#topics = new Set(projection.from.map(({ name }) => name));
  }

  /** @throws RecordError naming the event that can't be folded; TransientError. */
  async fold(tags: readonly string[], fold: TaggedFold): Promise<TaggedRow> {
    const meta = new CurrentMeta();
    const folder = eventFolder(this.#projection.row, meta);
    const held = new HotRow(fold.key, 0);
    let last: StoredEvent | undefined;
    const time = fold.atMs === undefined ? {} : { atMs: fold.atMs };
    for await (const events of this.#source.eventStore.read({ items: [{ tags }], ...time })) {
      for (const event of events) {
        if (!this.#counts(event, fold)) continue;
        last = event;
        const step = { folder: folder as Folder<ErasedFold>, meta, held };
        await this.#apply(asApplied(event, fold.passedOver), step);
      }
    }
    return { row: held.row, last };
  }

  #counts(event: StoredEvent, { before, passedOver }: TaggedFold): boolean {
    if (!this.#topics.has(event.topic)) return false;
    const at = Number(event.sequence);
    if (before !== undefined && !(at < (before(event) ?? 0))) return false;
    return passedOver.sequences.get(placeOf(event))?.has(at) !== true;
  }

  async #apply(
    stored: StoredEvent,
    step: { folder: Folder<ErasedFold>; meta: CurrentMeta; held: HotRow },
  ): Promise<void> {
    const { folder, meta, held } = step;
    const decoder = await this.#decoderOf(stored);
    const fold = decoder.type === undefined ? undefined : this.#projection.on[decoder.type];
    if (fold === undefined || fold === "ignore") return;
    const event = decoder.decode(stored.value, frameBytes, stored.value.length);
    if (this.#keyOf(event) !== held.key) return;
    meta.topic = stored.topic;
    meta.partition = stored.partition;
    meta.recordedAtMs = stored.recordedAtMs;
    meta.sequence = Number(stored.sequence);
    try {
      held.row = folder(fold, held, event);
    } catch (error) {
      throw foldThrew(stored, error);
    }
  }

  #keyOf(event: unknown): unknown {
    const { key } = this.#projection;
    return typeof key === "string" ? (event as Record<string, unknown>)[key] : keyBy(key, event);
  }

  async #decoderOf(event: StoredEvent): Promise<EventDecoder> {
    const schemaId = framedSchemaId(event.value, 0, event.value.length);
    if (schemaId === undefined) {
      throw new RecordError("decode", `Event ${event.id} of ${event.topic} is not framed.`);
    }
    return this.#reader.known(schemaId) ?? (await this.#reader.learn(schemaId));
  }
}

/** The event with the value that it was applied with. */
function asApplied(event: StoredEvent, { edited }: PassedOver): StoredEvent {
  const value = edited.bySequence.get(placeOf(event))?.get(Number(event.sequence));
  return value === undefined ? event : { ...event, value: Buffer.from(value) };
}

function foldThrew(event: StoredEvent, cause: unknown): RecordError {
  if (cause instanceof RecordError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const place = `${placeOf(event)} sequence ${event.sequence}`;
  return new RecordError("fold", `The fold of event ${event.id} (${place}) threw: ${message}`, {
    cause,
  });
}
