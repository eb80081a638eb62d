import { decodeAvro } from "./avro-decoder.ts";
import type { RecordedEvent } from "./scenario.ts";

/** A record as it was sent. */
export interface SentRecord {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
}

const frameBytes = 5;

/** How the bytes of one side of a record are written. */
export type Encoding = "framed-avro" | "bytes";

export interface Encodings {
  readonly key: Encoding;
  readonly value: Encoding;
}

/** Avro is the stack's converter where a configuration names no other. */
export function encodingsOf(config: Readonly<Record<string, string>>): Encodings {
  const of = (side: string): Encoding =>
    config[`${side}.converter`] === undefined ? "framed-avro" : "bytes";
  return { key: of("key"), value: of("value") };
}

/** The schemas of a scenario, numbered in the order of their first use. */
export class NumberedSchemas {
  readonly #schemaById: (id: number) => string | undefined;
  readonly #numbers = new Map<number, number>();
  readonly #texts = new Map<number, string>();

  /** @param schemaById The registry's text of an id. */
  constructor(schemaById: (id: number) => string | undefined) {
    this.#schemaById = schemaById;
  }

  /** @throws Error when the registry has no schema of that id. */
  numberOf(id: number): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const text = this.#schemaById(id);
    if (text === undefined) throw new Error(`A record is framed with schema ${id}, which is none.`);
    const number = this.#texts.size + 1;
    this.#numbers.set(id, number);
    this.#texts.set(number, text);
    return number;
  }

  textOf(number: number): string {
    return this.#texts.get(number) ?? "";
  }

  /** All of them, read from their texts. */
  parsed(parse: (text: string) => unknown): Record<string, object> {
    const parsed = [...this.#texts].map(([number, text]) => [number, parse(text)]);
    return Object.fromEntries(parsed) as Record<string, object>;
  }
}

/** The registry's ids that records are framed with. */
export function schemaIds(records: readonly SentRecord[], encodings: Encodings): Set<number> {
  const ids = new Set<number>();
  for (const record of records) {
    for (const side of ["key", "value"] as const) {
      const bytes = record[side];
      if (bytes && isFramed(bytes, encodings[side])) ids.add(bytes.readUInt32BE(1));
    }
  }
  return ids;
}

function isFramed(bytes: Buffer, encoding: Encoding): boolean {
  return encoding === "framed-avro" && bytes.length >= frameBytes && bytes[0] === 0;
}

/**
 * Gives records the recordings' form: unions unwrapped, bytes in base64, longs beyond 2^53, NaN,
 * infinities and -0 as text; what is not framed Avro as `{raw, text}`.
 */
export function toldEvents(
  records: readonly SentRecord[],
  schemas: NumberedSchemas,
  encodings: Encodings,
): RecordedEvent[] {
  return records.map((record, index) => {
    const key = toldBytes(record.key, schemas, encodings.key);
    const value = toldBytes(record.value, schemas, encodings.value);
    return {
      seq: index + 1,
      topic: record.topic,
      key: key.told,
      value: value.told,
      headers: Object.fromEntries(record.headers.map(([name, text]) => [name, headerTold(text)])),
      keySchema: key.schema,
      valueSchema: value.schema,
      keyAvro: key.avro,
      valueAvro: value.avro,
    };
  });
}

interface ToldBytes {
  readonly told: unknown;
  readonly schema: number | null;
  readonly avro: string | null;
}

function toldBytes(bytes: Buffer | null, schemas: NumberedSchemas, encoding: Encoding): ToldBytes {
  if (bytes === null) return { told: null, schema: null, avro: null };
  if (!isFramed(bytes, encoding)) {
    const raw = bytes.toString("base64");
    return { told: { raw, text: bytes.toString("utf8") }, schema: null, avro: raw };
  }
  const schema = schemas.numberOf(bytes.readUInt32BE(1));
  const body = bytes.subarray(frameBytes);
  const told = decodeAvro(schemas.textOf(schema), body);
  return { told, schema, avro: body.toString("base64") };
}

/** Connect's converter of headers writes JSON for what isn't text; both are told as text. */
function headerTold(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString("utf8");
}
