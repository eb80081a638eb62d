/**
 * Values with whole numbers of any size as JSON text: a bigint is `{"$int": "<digits>"}`. Kept in
 * columns of the type json, which takes every character, NUL too.
 */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_name, part: unknown) =>
    typeof part === "bigint" ? { $int: part.toString() } : part,
  );

/** From a column that the driver has parsed already. */
export function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === "$int") return BigInt(only[1] as string);
  return Object.fromEntries(entries.map(([name, part]) => [name, fromJson(part)]));
}

/** Text as Postgres takes it: without NUL and halves of surrogate pairs. */
export const storableText = (text: string): string =>
  text.replaceAll("\0", "\uFFFD").toWellFormed();

/** A JSON value as text; what JSON has no word for is null. */
export function jsonText(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  return text ?? "null";
}
