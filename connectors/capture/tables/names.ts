/**
 * A name as Avro and Kafka take it: every UTF-16 unit that they refuse becomes an underscore, and a
 * digit at the front gets one before it.
 */
export function avroName(name: string): string {
  const replaced = Array.from({ length: name.length }, (_, at) => name.charAt(at))
    .map((unit) => (/[A-Za-z0-9_]/.test(unit) ? unit : "_"))
    .join("");
  return /^[0-9]/.test(replaced) ? `_${replaced}` : replaced;
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

/** Of the topic, and the namespace of its records. */
export function topicName(prefix: string, { schema, table }: TableName): string {
  return [prefix, schema, table].map(avroName).join(".");
}

export function quoteTable({ schema, table }: TableName): string {
  return `${quoteName(schema)}.${quoteName(table)}`;
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
