import { InvariantViolation, RecordError } from "../../engine/errors.ts";
import type { ChangeReader, EventCodec, EventReader } from "../../engine/ports/codec.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import type { AnyEventType, ChangeTopic, EventTopic } from "../../engine/topic.ts";
import {
  EncodeError,
  makeEncoder,
  parseSchema,
  type DecodeLimits,
  type Encoder,
} from "../../schemas/avro/index.ts";
import { changeDecoders } from "./change-reader.ts";
import { eventDecoders } from "./event-reader.ts";
import { LearningReader } from "./learning-reader.ts";
import { WriterSchemas, type WriterSchemasOptions } from "./writer-schemas.ts";

export interface AvroCodecOptions extends Omit<WriterSchemasOptions, "registry"> {
  readonly registry: SchemaRegistry;
  /** Schema ids that one reader keeps decoders for; the oldest go first. */
  readonly decodersMax?: number;
  /** Bounds of one event's bytes. */
  readonly eventLimits?: Partial<DecodeLimits>;
  /** Bounds of one row change's bytes. */
  readonly changeLimits?: Partial<DecodeLimits>;
}

/** What `encode` needs of an event type in a topic. */
interface PreparedType {
  readonly type: AnyEventType;
  readonly frame: { readonly schemaId: number };
  readonly encoder: Encoder;
}

/** A row may hold what Postgres allows: long texts, large arrays. */
const changeLimits: Partial<DecodeLimits> = {
  payloadBytesMax: 64 * 1024 * 1024,
  itemsMax: 16 * 1024 * 1024,
};

/** The codec on a schema registry: Avro in the Confluent wire format. */
export function avroCodec(options: AvroCodecOptions): EventCodec {
  return new AvroCodec(options);
}

class AvroCodec implements EventCodec {
  readonly #options: AvroCodecOptions;
  readonly #schemas: WriterSchemas;
  readonly #prepared = new Map<string, ReadonlyMap<string, PreparedType>>();

  constructor(options: AvroCodecOptions) {
    this.#options = options;
    this.#schemas = new WriterSchemas(options);
  }

  async prepare(topic: EventTopic): Promise<void> {
    const types = await Promise.all(
      topic.events.map(async (type): Promise<[string, PreparedType]> => {
        const schemaId = await this.#register(`${topic.name}-${type.fullName}`, type);
        const encoder = makeEncoder(parseSchema(type.schema));
        return [type.fullName, { type, frame: { schemaId }, encoder }];
      }),
    );
    this.#prepared.set(topic.name, new Map(types));
  }

  encode(topic: EventTopic, type: AnyEventType, event: unknown): Uint8Array {
    const prepared = this.#prepared.get(topic.name)?.get(type.fullName);
    if (prepared === undefined) {
      throw new InvariantViolation(`${type.fullName} was never prepared for topic ${topic.name}.`);
    }
    try {
      return prepared.encoder.encode(event, prepared.frame);
    } catch (cause) {
      if (!(cause instanceof EncodeError)) throw cause;
      const message = `A ${type.fullName} for topic ${topic.name} doesn't fit its schema. ${cause.message}.`;
      throw new RecordError("encode", message, { cause });
    }
  }

  events(types: readonly AnyEventType[]): EventReader {
    const { eventLimits = {} } = this.#options;
    return this.#reader(eventDecoders(types, eventLimits));
  }

  changes(topic: ChangeTopic): ChangeReader {
    const limits = { ...changeLimits, ...this.#options.changeLimits };
    return this.#reader(changeDecoders(topic, limits));
  }

  #reader<Decoder>(
    decoderOf: ConstructorParameters<typeof LearningReader<Decoder>>[0]["decoderOf"],
  ) {
    const { decodersMax = 10_000 } = this.#options;
    return new LearningReader<Decoder>({ schemas: this.#schemas, decoderOf, decodersMax });
  }

  /** Old consumers and replays must be able to read every version; a stricter level is left alone. */
  async #register(subject: string, type: AnyEventType): Promise<number> {
    const { registry } = this.#options;
    const level = await registry.compatibility(subject);
    if (level !== "BACKWARD_TRANSITIVE" && level !== "FULL_TRANSITIVE") {
      await registry.setCompatibility("BACKWARD_TRANSITIVE", subject);
    }
    return (await registry.register(subject, JSON.stringify(type.schema))).id;
  }
}
