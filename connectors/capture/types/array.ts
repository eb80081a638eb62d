import type { AvroWriter } from "../avro-writer.ts";
import { unrepresentable, type Converter } from "./converter.ts";
import type { Placeholder } from "./placeholder.ts";

/** Whether an array's items may be null in its Avro schema. */
export type NullItems = "allowed" | "refused";

/**
 * What an unchanged array out of line is written as: one item (the placeholder's text, bytes or
 * UUID), or an item for each of its bytes; none: it can't be told.
 */
export type UnavailableItems = "text" | "bytes" | "uuid" | "byte-by-byte" | "none";

export interface ArrayItems {
  readonly converter: Converter;
  readonly nulls: NullItems;
  readonly unavailable: UnavailableItems;
  readonly placeholder: Placeholder;
  /** Between items: a comma for nearly all types. */
  readonly delimiter: string;
  /** Shown in errors. */
  readonly typeName: string;
}

/** One-dimensional arrays; others are refused where they come, for their schema has no room. */
export function arrayOf(items: ArrayItems): Converter {
  const { schema } = items.converter;
  const allowed = items.nulls === "allowed";
  return {
    schema: { type: "array", items: allowed ? ["null", schema] : schema },
    write: (to, bytes, start, end) => writeItems(to, items, bytes.toString("utf8", start, end)),
    writeFallback: (to) => to.byte(0),
    ...(items.unavailable === "none" ? {} : { writeUnavailable: (to) => writeMarked(to, items) }),
  };
}

function writeItems(to: AvroWriter, items: ArrayItems, text: string): void {
  const values = parseArray(text, items);
  if (values.length > 0) to.long(values.length);
  for (const value of values) {
    if (value === null) {
      if (items.nulls === "refused") throw unrepresentable(text, `${items.typeName}[]`);
      to.long(0);
      continue;
    }
    if (items.nulls === "allowed") to.long(1);
    const bytes = Buffer.from(value, "utf8");
    items.converter.write(to, bytes, 0, bytes.length);
  }
  to.byte(0);
}

function writeMarked(to: AvroWriter, items: ArrayItems): void {
  const { placeholder } = items;
  const writers = markers[items.unavailable](placeholder);
  to.long(writers.length);
  for (const write of writers) {
    if (items.nulls === "allowed") to.long(1);
    write(to);
  }
  to.byte(0);
}

type Write = (to: AvroWriter) => void;

const markers: Readonly<Record<UnavailableItems, (placeholder: Placeholder) => Write[]>> = {
  text: ({ text }) => [(to) => to.string(text)],
  bytes: ({ bytes }) => [(to) => to.bytes(bytes)],
  uuid: ({ uuid }) => [(to) => to.ascii(uuid)],
  // Bytes are signed there.
  "byte-by-byte": ({ bytes }) => Array.from(new Int8Array(bytes), (byte) => (to) => to.long(byte)),
  none: () => [],
};

/**
 * The elements of `{1,NULL,"a,b"}`
 * (https://www.postgresql.org/docs/18/arrays.html#ARRAYS-IO): an unquoted NULL is null.
 */
export function parseArray(
  text: string,
  { typeName, delimiter }: Pick<ArrayItems, "typeName" | "delimiter">,
): (string | null)[] {
  const values: (string | null)[] = [];
  // Bounds that don't begin at 1 come before the braces: `[0:1]={a,b}`.
  let at = text.indexOf("{") + 1;
  if (at === 0) throw unrepresentable(text, `${typeName}[]`);
  while (at < text.length && text[at] !== "}") {
    if (text[at] === "{") throw unrepresentable(text, `${typeName}[][]`);
    const element = text[at] === '"' ? quoted(text, at + 1) : plain(text, at, delimiter);
    values.push(element.value);
    at = text[element.end] === delimiter ? element.end + 1 : element.end;
  }
  return values;
}

function quoted(text: string, from: number): { value: string; end: number } {
  let value = "";
  let at = from;
  for (; text[at] !== '"'; at++) {
    if (text[at] === "\\") at++;
    value += text[at];
  }
  return { value, end: at + 1 };
}

function plain(
  text: string,
  from: number,
  delimiter: string,
): { value: string | null; end: number } {
  let end = from;
  while (text[end] !== delimiter && text[end] !== "}") end++;
  const value = text.slice(from, end);
  return { value: value.toUpperCase() === "NULL" ? null : value, end };
}
