import { EditFault } from "../../api/dead-letters/edit-fault.ts";
import { RecordError } from "../../engine/errors.ts";
import { type EventCodec, frameBytes } from "../../engine/ports/codec.ts";
import type { StoredDeadLetter } from "../../engine/ports/dead-letters.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import { letterFacts } from "../../engine/task/letter-facts.ts";
import type { AnyTopic, ChangeTopic, EventTopic } from "../../engine/topic.ts";
import { EncodeError, makeEncoder, parseSchema, type Schema } from "../../schemas/avro/index.ts";
import { type Payload, PayloadDecoder } from "../log/payload.ts";
import { fromShownJson } from "./avro-json.ts";

/** Which schema an edited value is of: the record's, the newest of its type, or that of an id. */
export type EditSchema = "writer" | "reader" | number;

export interface LetterEditorOptions {
  readonly registry: SchemaRegistry;
  readonly codec: Pick<EventCodec, "events" | "changes">;
  /** Topics that this code reads. */
  readonly topics: readonly AnyTopic[];
}

interface FramingSchema {
  readonly id: number;
  readonly schema: Schema;
}

/** Shows letters' values, and makes values to redrive them with. */
export class LetterEditor {
  readonly #options: LetterEditorOptions;
  readonly #decoder: PayloadDecoder;

  constructor(options: LetterEditorOptions) {
    this.#options = options;
    this.#decoder = new PayloadDecoder(options.registry);
  }

  /** As its writer's schema has it. @throws TransientError when the registry can't be asked. */
  decode(value: Uint8Array | null): Promise<Payload> {
    return this.#decoder.decode(value && asBuffer(value));
  }

  /**
   * Frames a value, given as JSON as letters are shown, and tries whether its consumer could use it.
   * Without a schema, the record's own is taken where the registry has it, otherwise the newest one
   * of the record's type.
   *
   * @throws EditFault; TransientError when the registry can't be asked.
   */
  async encode(
    letter: StoredDeadLetter,
    json: unknown,
    wanted: EditSchema | undefined,
  ): Promise<Buffer> {
    const topic = this.#options.topics.find(({ name }) => name === letter.topic);
    if (topic === undefined) {
      throw new EditFault("reader", `This code reads no topic ${letter.topic}.`);
    }
    const { id, schema } = await this.#schemaFor(letter, { topic, wanted });
    const value = encoded(schema, json, id);
    await this.#assertReadable(topic, letter, { id, value });
    return value;
  }

  async #schemaFor(
    letter: StoredDeadLetter,
    { topic, wanted }: { readonly topic: AnyTopic; readonly wanted: EditSchema | undefined },
  ): Promise<FramingSchema> {
    if (typeof wanted === "number") {
      const found = await this.#byId(wanted);
      if (found !== undefined) return found;
      throw new EditFault("schema", `The registry has no usable schema ${wanted}.`);
    }
    if (wanted !== "reader") {
      const { schemaId } = letterFacts(letter);
      const found = schemaId === undefined ? undefined : await this.#byId(schemaId);
      if (found !== undefined) return found;
      if (wanted === "writer") {
        const what = schemaId === undefined ? "no schema id" : `the unknown schema ${schemaId}`;
        throw new EditFault("schema", `The record has ${what} before its value.`);
      }
    }
    return this.#newest(letter, topic);
  }

  async #byId(id: number): Promise<FramingSchema | undefined> {
    const text = await this.#options.registry.schemaById(id);
    try {
      return text === undefined ? undefined : { id, schema: parseSchema(text) };
    } catch {
      return undefined;
    }
  }

  async #newest(letter: StoredDeadLetter, topic: AnyTopic): Promise<FramingSchema> {
    const { type } = letterFacts(letter);
    if (topic.kind === "events" && type === undefined) {
      throw new EditFault("schema", "The record names no event type: name a schema's id.");
    }
    const subject = topic.kind === "events" ? `${topic.name}-${type}` : `${topic.name}-value`;
    const newest = (await this.#options.registry.versions(subject)).at(-1);
    if (newest !== undefined) return { id: newest.id, schema: parseSchema(newest.schema) };
    throw new EditFault("schema", `The registry has no schema under ${subject}.`);
  }

  async #assertReadable(
    topic: AnyTopic,
    letter: StoredDeadLetter,
    made: { readonly id: number; readonly value: Buffer },
  ): Promise<void> {
    try {
      if (topic.kind === "events") await this.#assertSameKey(topic, letter, made);
      else await this.#assertSamePlace(topic, letter, made);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const message = `With schema ${made.id} the record couldn't be read: ${error.message}`;
      throw new EditFault("reader", message, { cause: error });
    }
  }

  async #assertSameKey(
    topic: EventTopic,
    { key }: StoredDeadLetter,
    { id, value }: { readonly id: number; readonly value: Buffer },
  ): Promise<void> {
    const decoder = await this.#options.codec.events(topic.events).learn(id);
    if (decoder.type === undefined) {
      throw new EditFault("reader", `Schema ${id} is of no event type of ${topic.name}.`);
    }
    const event = decoder.decode(value, frameBytes, value.length) as Record<string, unknown>;
    const found = event[topic.key];
    const expected = key === null ? undefined : asBuffer(key).toString("utf8");
    if (expected === undefined || found === expected) return;
    throw new EditFault("place", `The record's key is ${expected}: it must stay in its order.`, {
      path: topic.key,
    });
  }

  /** A change that stands elsewhere would make later ones look like copies of old ones. */
  async #assertSamePlace(
    topic: ChangeTopic,
    { source }: StoredDeadLetter,
    { id, value }: { readonly id: number; readonly value: Buffer },
  ): Promise<void> {
    const decoder = await this.#options.codec.changes(topic).learn(id);
    const change = decoder.decode(value, frameBytes, value.length);
    if (source.kind !== "change") {
      if (change.snapshot) return;
      const message =
        "Where the change stands in its source isn't known: give it as a row of a snapshot " +
        '(op "r", source.snapshot "true").';
      throw new EditFault("place", message, { path: "source" });
    }
    const { commitLsn, order } = change;
    if (!change.snapshot && commitLsn === source.commitLsn && order === source.order) return;
    const message = `The change stands at ${source.commitLsn}/${source.order} in its source.`;
    throw new EditFault("place", message, { path: "source" });
  }
}

function encoded(schema: Schema, json: unknown, schemaId: number): Buffer {
  try {
    return makeEncoder(schema).encode(fromShownJson(schema, json), { schemaId });
  } catch (error) {
    if (error instanceof RangeError) throw new EditFault("value", "It is nested too deeply.");
    if (!(error instanceof EncodeError)) throw error;
    throw new EditFault("value", error.message, { path: error.path });
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
