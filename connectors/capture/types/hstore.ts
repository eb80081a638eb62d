import type { AvroWriter } from "../avro-writer.ts";
import type { Converter } from "./converter.ts";
import { inHashOrder } from "./hash-order.ts";
import { namedText } from "./plain.ts";
import type { Placeholder } from "./placeholder.ts";
import type { ValueModes } from "./value-modes.ts";

type Entries = readonly (readonly [string, string | null])[];

/** hstore as JSON text or as a map; the order of keys is Debezium's, a hash map's. */
export function hstore(mode: ValueModes["hstore"], { text }: Placeholder): Converter {
  const write = mode === "json" ? writeJson : writeMap;
  return {
    schema: mode === "json" ? namedText.json : { type: "map", values: ["null", "string"] },
    write: (to, bytes, start, end) => write(to, parseHstore(bytes.toString("utf8", start, end))),
    // A NOT NULL column's fallback: no keys.
    writeFallback: (to) => write(to, []),
    writeUnavailable: (to) => write(to, [[text, text]]),
  };
}

function writeJson(to: AvroWriter, entries: Entries): void {
  const members = inHashOrder(entries).map(
    ([key, value]) => `${jsonText(key)}:${value === null ? "null" : jsonText(value)}`,
  );
  to.string(`{${members.join(",")}}`);
}

/** Control characters have upper-case digits there, as Jackson writes them. */
function jsonText(text: string): string {
  return JSON.stringify(text).replace(
    /\\u00([0-9a-f]{2})/g,
    (_, digits: string) => `\\u00${digits.toUpperCase()}`,
  );
}

function writeMap(to: AvroWriter, entries: Entries): void {
  if (entries.length > 0) to.long(entries.length);
  for (const [key, value] of inHashOrder(entries)) {
    to.string(key);
    to.byte(value === null ? 0 : 2);
    if (value !== null) to.string(value);
  }
  to.byte(0);
}

/** `"a"=>"1", "b"=>NULL`: hstore quotes every key and value, and nothing else is NULL. */
const pair = /"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|NULL)/gs;

export function parseHstore(text: string): Entries {
  const plain = (quoted: string): string => quoted.replaceAll(/\\(.)/gs, "$1");
  return Array.from(text.matchAll(pair), ([, key = "", value]) => [
    plain(key),
    value === undefined ? null : plain(value),
  ]);
}
