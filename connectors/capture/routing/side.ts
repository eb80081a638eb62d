import type { AvroType } from "../types/converter.ts";
import { connectText, isUnion } from "./connect-text.ts";

/** How a converter of Connect writes a key or value. */
export type SideStyle = "avro" | "bytes" | "json" | "text";

/**
 * A key or value in another form than Avro.
 *
 * @param encoded In Avro, by the schema, without a frame.
 */
export function converted(
  style: Exclude<SideStyle, "avro">,
  schema: AvroType,
  encoded: Buffer,
): Buffer | null {
  if (style === "text") return javaText(schema, encoded);
  const isPlain = style === "bytes" && isBytes(schema);
  return isPlain ? plainBytes(schema, encoded) : json(schema, encoded);
}

function javaText(schema: AvroType, encoded: Buffer): Buffer | null {
  const text = connectText(schema, encoded, "java");
  return text === null ? null : Buffer.from(text, "utf8");
}

function json(schema: AvroType, encoded: Buffer): Buffer {
  return Buffer.from(connectText(schema, encoded, "json") ?? "null", "utf8");
}

/** The type beside null, where there is one. */
export function base(schema: AvroType): AvroType {
  return isUnion(schema) ? (schema.find((branch) => branch !== "null") ?? "null") : schema;
}

/** Whether an encoded value is null: its union's branch is. */
export function isNull(schema: AvroType, encoded: Buffer): boolean {
  // Branches are few: their number takes one byte, twice as large.
  return isUnion(schema) && schema[(encoded[0] ?? 0) / 2] === "null";
}

function isBytes(schema: AvroType): boolean {
  const type = base(schema);
  return type === "bytes" || (typeof type === "object" && !isUnion(type) && type.type === "bytes");
}

function plainBytes(schema: AvroType, encoded: Buffer): Buffer | null {
  // Base 64 is what JSON has bytes in, between its quotes.
  const text = connectText(schema, encoded, "json");
  return text === null ? null : Buffer.from(text.slice(1, -1), "base64");
}
