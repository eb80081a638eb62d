import { FatalError } from "../../../engine/errors.ts";
import type { AvroType, AvroTypeObject } from "../types/converter.ts";
import { javaDouble, javaFloat } from "./java-numbers.ts";

/**
 * How values become text where Avro isn't used. `header`: as Kafka Connect's SimpleHeaderConverter
 * writes headers (its class `Values`). `json`: as its JsonConverter writes values without schemas.
 * `java`: as its StringConverter writes them, with Java's `toString`.
 */
export type TextStyle = "header" | "json" | "java";

/**
 * Writes a value as text. It comes in Avro's encoding, which the converters of columns write, so
 * that each type is converted in one place only.
 *
 * @param schema Of the encoded value.
 */
export function connectText(schema: AvroType, encoded: Buffer, style: TextStyle): string | null {
  return new TextWriter(encoded, style).value(schema, "outermost");
}

type Depth = "outermost" | "inside";

class TextWriter {
  readonly #bytes: Buffer;
  readonly #style: TextStyle;
  readonly #named = new Map<string, AvroTypeObject>();
  #at = 0;

  constructor(bytes: Buffer, style: TextStyle) {
    this.#bytes = bytes;
    this.#style = style;
  }

  /** null for an outermost null, which is no text at all. */
  value(schema: AvroType, depth: Depth): string | null {
    if (isUnion(schema)) {
      const branch = schema[Number(this.#long())];
      return branch === undefined ? null : this.value(branch, depth);
    }
    if (typeof schema !== "string") return this.#object(schema, depth);
    const named = this.#named.get(schema);
    return named ? this.#record(named) : this.#primitive(schema, { depth, logical: undefined });
  }

  #object(schema: AvroTypeObject, depth: Depth): string | null {
    if (schema.type === "array") return this.#items(schema["items"] as AvroType);
    if (schema.type === "map") return this.#entries(schema["values"] as AvroType);
    if (schema.type === "record") return this.#record(schema);
    if (typeof schema.type !== "string") return this.value(schema.type, depth);
    return this.#primitive(schema.type, { depth, logical: logicalOf(schema) });
  }

  #primitive(type: string, as: { depth: Depth; logical: Logical | undefined }): string | null {
    switch (type) {
      case "null":
        return as.depth === "outermost" || this.#style === "java" ? null : "null";
      case "boolean":
        return this.#bytes[this.#at++] === 1 ? "true" : "false";
      case "int":
      case "long":
        return this.#whole(as.logical);
      case "float":
        this.#at += 4;
        return this.#number(javaFloat(this.#bytes.readFloatLE(this.#at - 4)));
      case "double":
        this.#at += 8;
        return this.#number(javaDouble(this.#bytes.readDoubleLE(this.#at - 8)));
      case "string":
        return this.#text(this.#slice().toString("utf8"), as.depth);
      case "bytes":
        return this.#binary(as);
      default:
        throw untold(type);
    }
  }

  /** Connect's dates and times are whole numbers in JSON, and ISO 8601 in headers. */
  #whole(logical: Logical | undefined): string {
    const value = this.#long();
    if (this.#style === "json" || !logical || logical.name === "Decimal") return String(value);
    const ms = logical.name === "Date" ? Number(value) * dayMs : Number(value);
    const iso = new Date(ms).toISOString();
    // Connect takes whatever lies before 2 January 1970 for a time of day.
    if (ms < dayMs) return iso.slice(11);
    return ms % dayMs === 0 ? iso.slice(0, 10) : iso;
  }

  /** JSON has no numbers for these. */
  #number(text: string): string {
    return this.#style === "json" && /[NI]/.test(text) ? `"${text}"` : text;
  }

  #binary({ depth, logical }: { depth: Depth; logical: Logical | undefined }): string {
    const bytes = this.#slice();
    if (this.#style !== "json" && logical?.name === "Decimal") {
      return javaDecimal(signed(bytes), logical.scale);
    }
    // Java tells the buffer's address in place of its bytes.
    if (this.#style === "java") throw untold("bytes");
    const text = bytes.toString("base64");
    return depth === "outermost" && this.#style === "header" ? text : `"${text}"`;
  }

  #text(value: string, depth: Depth): string {
    if (this.#style === "json") return JSON.stringify(value);
    return depth === "outermost" || this.#style === "java" ? value : quoted(value);
  }

  #record(schema: AvroTypeObject): string {
    const { name, namespace } = schema as { name?: string; namespace?: string };
    this.#named.set([namespace, name].filter(Boolean).join("."), schema);
    const fields = schema["fields"] as readonly { name: string; type: AvroType }[];
    const told = fields.map(({ name, type }) => ({ name, text: this.value(type, "inside") }));
    if (this.#style !== "java") {
      return `{${told.map((field) => `"${field.name}":${field.text}`).join(",")}}`;
    }
    const present = told.filter((field) => field.text !== null);
    return `Struct{${present.map((field) => `${field.name}=${field.text}`).join(",")}}`;
  }

  #items(items: AvroType): string {
    const told: string[] = [];
    this.#blocks(() => told.push(String(this.value(items, "inside"))));
    return `[${told.join(this.#style === "java" ? ", " : ",")}]`;
  }

  #entries(values: AvroType): string {
    const told: string[] = [];
    this.#blocks(() => {
      const key = this.#text(this.#slice().toString("utf8"), "inside");
      const isJava = this.#style === "java";
      told.push(`${key}${isJava ? "=" : ":"}${this.value(values, "inside")}`);
    });
    return `{${told.join(this.#style === "java" ? ", " : ",")}}`;
  }

  #blocks(each: () => void): void {
    for (let count = Number(this.#long()); count !== 0; count = Number(this.#long())) {
      // A negative count is followed by the block's size in bytes.
      if (count < 0) this.#long();
      for (let item = 0; item < Math.abs(count); item++) each();
    }
  }

  #slice(): Buffer {
    const size = Number(this.#long());
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #long(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return (value >> 1n) ^ -(value & 1n);
  }
}

interface Logical {
  readonly name: "Decimal" | "Date" | "Time" | "Timestamp";
  readonly scale: number;
}

const dayMs = 86_400_000;
const logicalName = /^org\.apache\.kafka\.connect\.data\.(Decimal|Date|Time|Timestamp)$/;

function logicalOf(schema: AvroTypeObject): Logical | undefined {
  const name = logicalName.exec(String(schema["connect.name"]))?.[1];
  return name ? { name: name as Logical["name"], scale: Number(schema["scale"] ?? 0) } : undefined;
}

function untold(type: string): FatalError {
  return new FatalError(
    "text-unsupported",
    `A value of Avro type ${type} can't be written as text.`,
    "Choose another converter, or leave the column out of the key, the headers and the payload.",
  );
}

export function isUnion(type: AvroType): type is readonly AvroType[] {
  return Array.isArray(type);
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function signed(bytes: Buffer): bigint {
  return bytes.length === 0
    ? 0n
    : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`));
}

/** As `BigDecimal.toString` writes it: with an exponent where there are many zeros. */
function javaDecimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? "-" : "";
  const digits = String(unscaled < 0n ? -unscaled : unscaled);
  if (scale === 0) return sign + digits;
  const exponent = digits.length - 1 - scale;
  if (scale > 0 && exponent >= -6) {
    const padded = digits.padStart(scale + 1, "0");
    return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  }
  const mantissa = digits.length > 1 ? `${digits.slice(0, 1)}.${digits.slice(1)}` : digits;
  return `${sign}${mantissa}E${exponent > 0 ? "+" : ""}${exponent}`;
}
