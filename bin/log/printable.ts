/** The type library doesn't know yet that JSON can take a number's text as it is. */
const json = JSON as typeof JSON & { rawJSON(text: string): unknown };

/** JSON of what Avro decodes to: whole numbers of any size exactly, bytes as base64. */
export function jsonOf(value: unknown): string {
  return json.stringify(plain(value));
}

/** What `JSON.stringify` takes, for all that Avro decodes to. */
export function plain(value: unknown): unknown {
  if (typeof value === "bigint") return json.rawJSON(value.toString());
  // JSON has no such numbers.
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return base64(value);
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text, or base64 marked as such where the bytes are no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return `base64:${base64(bytes)}`;
  }
}
