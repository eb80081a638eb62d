import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import {
  makeResolver,
  parseSchema,
  type Resolver,
  type Schema,
  schemaIdOf,
  frameBytes,
} from "../../schemas/avro/index.ts";

/** What a key or value turned out to be. */
export type Payload =
  | { readonly kind: "none" }
  | {
      readonly kind: "decoded";
      readonly schemaId: number;
      /** Full name of the writer's record; undefined for other schemas. */
      readonly type: string | undefined;
      readonly value: unknown;
    }
  | { readonly kind: "undecodable"; readonly bytes: Buffer; readonly reason: string };

interface Writer {
  readonly type: string | undefined;
  readonly resolver: Resolver;
}

/** Decodes framed bytes as they were written, whatever this program's own schemas say. */
export class PayloadDecoder {
  readonly #registry: SchemaRegistry;
  /** By schema id; a reason where the id is of no use. */
  readonly #writers = new Map<number, Writer | string>();

  constructor(registry: SchemaRegistry) {
    this.#registry = registry;
  }

  async decode(bytes: Buffer | null): Promise<Payload> {
    if (bytes === null) return { kind: "none" };
    const schemaId = schemaIdOf(bytes);
    if (schemaId === undefined) {
      return { kind: "undecodable", bytes, reason: "it has no schema id before it" };
    }
    const writer = this.#writers.get(schemaId) ?? (await this.#learn(schemaId));
    if (typeof writer === "string") return { kind: "undecodable", bytes, reason: writer };
    try {
      const value = writer.resolver.decode(bytes, frameBytes);
      return { kind: "decoded", schemaId, type: writer.type, value };
    } catch (error) {
      const reason = `schema ${schemaId} does not fit: ${(error as Error).message}`;
      return { kind: "undecodable", bytes, reason };
    }
  }

  async #learn(schemaId: number): Promise<Writer | string> {
    const text = await this.#registry.schemaById(schemaId);
    const writer =
      text === undefined ? `the registry has no schema ${schemaId}` : writerOf(schemaId, text);
    // Topics have some dozens of schemas; hostile ids must not fill the memory.
    if (this.#writers.size < 10_000) this.#writers.set(schemaId, writer);
    return writer;
  }
}

function writerOf(schemaId: number, text: string): Writer | string {
  try {
    const schema: Schema = parseSchema(text);
    const type = schema.kind === "record" ? schema.fullName : undefined;
    return { type, resolver: makeResolver(schema, schema, { longs: "bigint" }) };
  } catch (error) {
    return `schema ${schemaId} can't be used: ${(error as Error).message}`;
  }
}
