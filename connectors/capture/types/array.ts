import type { AvroWriter } from "../avro-writer.ts";
import { unavailable, unrepresentable, type Converter } from "./converter.ts";

/** Whether an array's items may be null in its Avro schema. */
export type NullItems = "allowed" | "refused";

/** What an unchanged array out of line is written as: its items say which of the two forms. */
export type UnavailableItems = "text" | "bytes" | "none";

export interface ArrayItems {
  readonly converter: Converter;
  readonly nulls: NullItems;
  readonly unavailable: UnavailableItems;
  /** Shown in errors. */
  readonly typeName: string;
}

/** One-dimensional arrays; others are refused where they come, for their schema has no room. */
export function arrayOf(items: ArrayItems): Converter {
  const { schema } = items.converter;
  const placeholder = placeholders[items.unavailable];
  return {
    schema: { type: "array", items: items.nulls === "allowed" ? ["null", schema] : schema },
    write: (to, bytes, start, end) => writeItems(to, items, bytes.toString("utf8", start, end)),
    writeFallback: (to) => to.byte(0),
    ...(placeholder ? { writeUnavailable: placeholder } : {}),
  };
}

function writeItems(to: AvroWriter, items: ArrayItems, text: string): void {
  const values = parseArray(text, items.typeName);
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

const placeholders: Readonly<Record<UnavailableItems, ((to: AvroWriter) => void) | undefined>> = {
  text: (to) => {
    to.long(1);
    to.long(1);
    to.string(unavailable);
    to.byte(0);
  },
  bytes: (to) => {
    to.long(unavailable.length);
    for (const byte of Buffer.from(unavailable)) {
      to.long(1);
      to.long(byte);
    }
    to.byte(0);
  },
  none: undefined,
};

/**
 * The elements of `{1,NULL,"a,b"}`
 * (https://www.postgresql.org/docs/18/arrays.html#ARRAYS-IO): an unquoted NULL is null.
 */
export function parseArray(text: string, typeName: string): (string | null)[] {
  const values: (string | null)[] = [];
  // Bounds that don't begin at 1 come before the braces: `[0:1]={a,b}`.
  let at = text.indexOf("{") + 1;
  if (at !== 1) throw unrepresentable(text, `${typeName}[]`);
  while (at < text.length && text[at] !== "}") {
    if (text[at] === "{") throw unrepresentable(text, `${typeName}[][]`);
    const element = text[at] === '"' ? quoted(text, at + 1) : plain(text, at);
    values.push(element.value);
    at = text[element.end] === "," ? element.end + 1 : element.end;
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

function plain(text: string, from: number): { value: string | null; end: number } {
  let end = from;
  while (text[end] !== "," && text[end] !== "}") end++;
  const value = text.slice(from, end);
  return { value: value.toUpperCase() === "NULL" ? null : value, end };
}
