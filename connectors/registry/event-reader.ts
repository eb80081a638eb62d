import { RecordError } from "../../engine/errors.ts";
import type { EventDecoder } from "../../engine/ports/codec.ts";
import type { AnyEventType } from "../../engine/topic.ts";
import {
  DecodeError,
  makeResolver,
  parseSchema,
  ResolutionError,
  type DecodeLimits,
  type Resolver,
  type Schema,
} from "../../schemas/avro/index.ts";
import type { DecoderOf } from "./learning-reader.ts";

/** Decoders of events for these types; a writer's record of another name is skipped. */
export function eventDecoders(
  types: readonly AnyEventType[],
  limits: Partial<DecodeLimits>,
): DecoderOf<EventDecoder> {
  const readers = types.map((type) => ({
    type,
    schema: parseSchema(type.schema),
    contract: type.contract && parseSchema(type.contract),
  }));
  return (writer, schemaId) => {
    const reader = readers.find(({ schema }) => bears(schema, writer));
    if (reader === undefined) return skipped;
    const source = { writer, schemaId, limits };
    // A writer that breaks its contract is refused, also where nobody reads what it leaves out.
    if (reader.contract) resolverFor(reader.contract, source);
    const resolver = resolverFor(reader.schema, source);
    return { type: reader.type.name, decode: decodeWith(resolver, reader.type.fullName) };
  };
}

const skipped: EventDecoder = { type: undefined, decode: () => undefined };

/** An event type is known by its full name: two domains may have events of the same short name. */
function bears(reader: Schema, writer: Schema): boolean {
  if (reader.kind !== "record" || writer.kind !== "record") return false;
  return reader.fullName === writer.fullName || reader.aliases.includes(writer.fullName);
}

/** @throws RecordError `schema-incompatible` */
export function resolverFor<Value>(
  reader: Schema,
  source: {
    readonly writer: Schema;
    readonly schemaId: number;
    readonly limits: Partial<DecodeLimits>;
  },
): Resolver<Value> {
  try {
    return makeResolver<Value>(reader, source.writer, { limits: source.limits });
  } catch (cause) {
    if (!(cause instanceof ResolutionError)) throw cause;
    const message = `Data of schema ${source.schemaId} can't be read as ours. ${cause.message}`;
    throw new RecordError("schema-incompatible", message, { cause });
  }
}

/** @throws RecordError `decode`, from what it gives. */
export function decodeWith<Value>(
  resolver: Resolver<Value>,
  what: string,
): (bytes: Buffer, start: number, end: number) => Value {
  return (bytes, start, end) => {
    try {
      return resolver.decode(bytes, start, end);
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause;
      throw new RecordError("decode", `These bytes are no ${what}. ${cause.message}`, { cause });
    }
  };
}
