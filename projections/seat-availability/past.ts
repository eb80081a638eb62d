import type { EventDecoder, EventCodec, EventReader } from "../../engine/ports/codec.ts";
import { frameBytes, framedSchemaId } from "../../engine/ports/codec.ts";
import type { EventStore, StoredEvent } from "../../engine/ports/event-store.ts";
import { RecordError } from "../../engine/errors.ts";
import { globalPosition, type Sequence } from "../../engine/position.ts";
import type { Fold, RecordMeta } from "../../engine/projection.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { seatAvailability, type SeatAvailabilityRow } from "./projection.ts";

/** What a module's seats were at a time. */
export type PastSeats =
  | {
      readonly outcome: "known";
      /** undefined: the module was not on offer. */
      readonly row: SeatAvailabilityRow | undefined;
      /** The last event that counted; undefined: there was none. */
      readonly last:
        | { readonly partition: number; readonly sequence: Sequence; readonly incarnation: string }
        | undefined;
    }
  /** Something may still be recorded at this time. */
  | { readonly outcome: "not-yet"; readonly nowMs: number };

export interface PastSource {
  readonly eventStore: Pick<EventStore, "append" | "read">;
  readonly codec: Pick<EventCodec, "events">;
}

/** The largest position that a store can give: nothing comes after it. */
const lastPosition = globalPosition(2n ** 63n - 1n);

/**
 * The seats of a module as they were when the last event recorded at or before `atMs` had been
 * folded: the same definition, over the module's events.
 */
export async function seatsOfModuleAt(
  source: PastSource,
  moduleCode: string,
  atMs: number,
): Promise<PastSeats> {
  const tag = `module:${moduleCode}`;
  const nowMs = await settledUntil(source.eventStore, tag);
  // An event that is appended in this very millisecond is still recorded at this time.
  if (nowMs <= atMs) return { outcome: "not-yet", nowMs };
  const reader = source.codec.events(moduleEvents.events);
  let row: SeatAvailabilityRow | undefined;
  let last: StoredEvent | undefined;
  const query = { items: [{ tags: [tag] }], lane: { topic: moduleEvents.name }, atMs };
  for await (const events of source.eventStore.read(query)) {
    for (const event of events) {
      row = apply(row, event, await decoderOf(reader, event));
      last = event;
    }
  }
  return { outcome: "known", row, last };
}

/**
 * The store's clock, read while nothing that carries the tag was in flight: an append of nothing
 * waits for the tag's lock, so whatever was recorded before the time it returns has committed, and
 * what comes later is recorded later. Its condition can't fail.
 */
async function settledUntil(store: Pick<EventStore, "append">, tag: string): Promise<number> {
  const condition = [{ tags: [tag], after: lastPosition }];
  const verdict = await store.append({ events: [], condition }, { as: "processor" });
  if (verdict.outcome === "appended" || verdict.outcome === "out-of-time") {
    return verdict.recordedAtMs;
  }
  // Neither can be: then no time is known to be settled.
  return 0;
}

async function decoderOf(reader: EventReader, event: StoredEvent): Promise<EventDecoder> {
  const schemaId = framedSchemaId(event.value, 0, event.value.length);
  if (schemaId === undefined) {
    throw new RecordError("decode", `Event ${event.id} of ${event.topic} is not framed.`);
  }
  return reader.known(schemaId) ?? (await reader.learn(schemaId));
}

function apply(
  row: SeatAvailabilityRow | undefined,
  stored: StoredEvent,
  decoder: EventDecoder,
): SeatAvailabilityRow | undefined {
  if (decoder.type === undefined) return row;
  const folds: Readonly<Record<string, unknown>> = seatAvailability.on;
  const fold = folds[decoder.type];
  if (typeof fold !== "function") return row;
  const event = decoder.decode(stored.value, frameBytes, stored.value.length);
  return (fold as Fold<SeatAvailabilityRow, unknown>)(row, event, metaOf(stored));
}

const metaOf = (stored: StoredEvent): RecordMeta => ({
  topic: stored.topic,
  partition: stored.partition,
  // A store has no offsets, and this fold asks for none.
  offset: 0,
  recordedAtMs: stored.recordedAtMs,
  sequence: Number(stored.sequence),
});
