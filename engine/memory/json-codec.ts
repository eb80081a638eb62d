import { InvariantViolation, RecordError } from "../errors.ts";
import {
  type ChangeDecoder,
  type ChangeReader,
  type EventCodec,
  type EventDecoder,
  type EventReader,
  frameBytes,
  type RowChange,
} from "../ports/codec.ts";
import type { AnyEventType, ChangeTopic, EventTopic } from "../topic.ts";

/**
 * The codec's reference adapter: framed as in the Confluent wire format (zero byte, schema id),
 * with JSON where Avro would be. One instance holds the ids of all event types, so writers and
 * readers share it. A bigint becomes the object `{"$bigint": "..."}`.
 */
export class JsonCodec implements EventCodec {
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [];

  async prepare(topic: EventTopic): Promise<void> {
    for (const type of topic.events) this.#idOf(type.fullName);
  }

  encode(_topic: EventTopic, type: AnyEventType, event: unknown): Buffer {
    const id = this.#ids.get(type.fullName);
    if (id === undefined) {
      throw new InvariantViolation(`The topic of ${type.fullName} was not prepared.`);
    }
    return framed(id, event);
  }

  events(types: readonly AnyEventType[]): EventReader {
    return new JsonEventReader(this.#names, types);
  }

  /** A row change as `changes` reads it back; `transactionId` undefined is left out. */
  encodeChange(topic: ChangeTopic, change: RowChange): Buffer {
    return framed(this.#idOf(`change ${topic.name}`), change);
  }

  changes(topic: ChangeTopic): ChangeReader {
    const id = this.#idOf(`change ${topic.name}`);
    const decoder: ChangeDecoder = {
      decode: (bytes, start, end) => {
        const change = parse(bytes, start, end) as RowChange;
        return { ...change, transactionId: change.transactionId };
      },
    };
    return {
      known: (schemaId) => (schemaId === id ? decoder : undefined),
      learn: async (schemaId) => {
        throw unknownSchema(schemaId);
      },
    };
  }

  #idOf(name: string): number {
    const found = this.#ids.get(name);
    if (found !== undefined) return found;
    this.#names.push(name);
    this.#ids.set(name, this.#names.length);
    return this.#names.length;
  }
}

class JsonEventReader implements EventReader {
  readonly #names: readonly string[];
  readonly #types: ReadonlyMap<string, string>;
  readonly #learnt = new Map<number, EventDecoder>();

  constructor(names: readonly string[], types: readonly AnyEventType[]) {
    this.#names = names;
    this.#types = new Map(types.map((type) => [type.fullName, type.name]));
  }

  known(schemaId: number): EventDecoder | undefined {
    return this.#learnt.get(schemaId);
  }

  async learn(schemaId: number): Promise<EventDecoder> {
    const fullName = this.#names[schemaId - 1];
    if (fullName === undefined) throw unknownSchema(schemaId);
    const decoder: EventDecoder = { type: this.#types.get(fullName), decode: parse };
    this.#learnt.set(schemaId, decoder);
    return decoder;
  }
}

function framed(id: number, value: unknown): Buffer {
  const bytes = Buffer.from(`     ${JSON.stringify(value, bigintsMarked)}`, "utf8");
  bytes[0] = 0;
  bytes.writeInt32BE(id, frameBytes - 4);
  return bytes;
}

function parse(bytes: Buffer, start: number, end: number): unknown {
  try {
    return JSON.parse(bytes.toString("utf8", start, end), bigintsRevived);
  } catch (error) {
    throw new RecordError("decode", "The record's value is not the JSON that its frame says.", {
      cause: error,
    });
  }
}

const bigintsMarked = (_name: string, value: unknown): unknown =>
  typeof value === "bigint" ? { $bigint: value.toString() } : value;

function bigintsRevived(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("$bigint" in value)) return value;
  return BigInt(String(value.$bigint));
}

const unknownSchema = (id: number): RecordError =>
  new RecordError("schema-unknown", `No schema has the id ${id} here.`);
