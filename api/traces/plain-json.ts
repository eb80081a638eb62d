/**
 * What Avro decodes to as JSON has it: bytes as base64, whole numbers beyond 2^53 - 1 as text, and
 * numbers that JSON doesn't know as text.
 */
export function plainJson(value: unknown): unknown {
  if (typeof value === "bigint") return wholeNumber(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Map) return plainJson(Object.fromEntries(value));
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plainJson);
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainJson(item)]));
}

function wholeNumber(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}
