import type { NameAdjustment } from "./selection.ts";

type NameMode = NameAdjustment["fields"];

const allowed = /[A-Za-z0-9_]/;
const allowedInTopics = /[A-Za-z0-9._-]/;

/**
 * A name as Avro takes it: every UTF-16 unit that Avro refuses becomes an underscore, and a digit
 * at the front gets one before it.
 */
export function avroName(name: string): string {
  return adjusted(name, (unit) => (allowed.test(unit) ? unit : "_"));
}

/** A column's name as its field's. */
export function fieldName(name: string, mode: NameMode): string {
  if (mode === "none") return name;
  return mode === "avro" ? avroName(name) : withCodes(name, /[A-Za-z0-9]/);
}

/** A topic's name as the namespace of its records. */
export function namespaceOf(topic: string, mode: NameMode): string {
  if (mode === "none") return topic;
  if (mode === "avro_unicode") return withCodes(topic, /[A-Za-z0-9.]/);
  return adjusted(topic, (unit) => (unit === "." || allowed.test(unit) ? unit : "_"));
}

function units(name: string): string[] {
  return Array.from({ length: name.length }, (_, at) => name.charAt(at));
}

function adjusted(name: string, replace: (unit: string) => string): string {
  const replaced = units(name).map(replace).join("");
  return /^[0-9]/.test(replaced) ? `_${replaced}` : replaced;
}

/** Units that aren't kept, a digit at the front among them, become `_u` and their code. */
function withCodes(name: string, kept: RegExp): string {
  return units(name)
    .map((unit, at) => (kept.test(unit) && !(at === 0 && /[0-9.]/.test(unit)) ? unit : code(unit)))
    .join("");
}

function code(unit: string): string {
  return `_u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** `schema.table`, split at the first point. */
export function parseTableName(text: string): TableName {
  const at = text.indexOf(".");
  return { schema: text.slice(0, at), table: text.slice(at + 1) };
}

export interface TopicNaming {
  readonly prefix: string;
  readonly names: NameAdjustment;
}

/** What a topic's name may not have becomes an underscore. */
export function topicName(
  { prefix, names: { delimiter = "." } }: TopicNaming,
  { schema, table }: TableName,
): string {
  return units([prefix, schema, table].join(delimiter))
    .map((unit) => (allowedInTopics.test(unit) ? unit : "_"))
    .join("");
}

export function quoteTable({ schema, table }: TableName): string {
  return `${quoteName(schema)}.${quoteName(table)}`;
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
