import { RecordError } from "../errors.ts";
import type { EventCodec, EventReader } from "../ports/codec.ts";
import { frameBytes, framedSchemaId } from "../ports/codec.ts";
import type { StoredEvent } from "../ports/event-store.ts";
import type { EventTopic } from "../topic.ts";

/** A stored event with what it says, or why that can't be told. */
export interface ReadEvent {
  readonly stored: StoredEvent;
  /** The short name, also of types that this code doesn't know. */
  readonly name: string;
  readonly fields: unknown;
  readonly undecodable: string | undefined;
}

/** Decodes events of several topics for people: one that can't be decoded is told as such. */
export class StoredEventReader {
  readonly #reader: EventReader;

  constructor(codec: Pick<EventCodec, "events">, topics: readonly EventTopic[]) {
    const types = new Map(
      topics.flatMap(({ events }) => events.map((type) => [type.fullName, type] as const)),
    );
    this.#reader = codec.events([...types.values()]);
  }

  /** @throws TransientError when the registry can't be asked. */
  async read(stored: StoredEvent): Promise<ReadEvent> {
    const name = stored.type.slice(stored.type.lastIndexOf(".") + 1);
    try {
      return { stored, name, fields: await this.#decode(stored), undecodable: undefined };
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      return { stored, name, fields: undefined, undecodable: error.message };
    }
  }

  async #decode({ id, value }: StoredEvent): Promise<unknown> {
    const schemaId = framedSchemaId(value, 0, value.length);
    if (schemaId === undefined) throw new RecordError("unframed", `Event ${id} is not framed.`);
    const decoder = this.#reader.known(schemaId) ?? (await this.#reader.learn(schemaId));
    if (decoder.type === undefined) {
      throw new RecordError("schema-unknown", "This code doesn't know events of this type.");
    }
    return decoder.decode(value, frameBytes, value.length);
  }
}
