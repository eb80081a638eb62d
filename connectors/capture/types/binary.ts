import type { AvroWriter } from "../avro-writer.ts";
import type { AvroType, Converter } from "./converter.ts";
import type { Placeholder } from "./placeholder.ts";
import type { ValueModes } from "./value-modes.ts";

type BinaryMode = ValueModes["binary"];
type WriteBytes = (to: AvroWriter, value: Buffer) => void;

/** How bytes are written, each mode under the schema that `binarySchema` gives. */
const writers: Readonly<Record<BinaryMode, WriteBytes>> = {
  bytes: (to, value) => to.bytes(value),
  base64: (to, value) => to.ascii(value.toString("base64")),
  // Node leaves the padding out of this form, Java keeps it.
  "base64-url-safe": (to, value) =>
    to.ascii(value.toString("base64").replaceAll("+", "-").replaceAll("/", "_")),
  hex: (to, value) => to.ascii(value.toString("hex")),
};

function binarySchema(mode: BinaryMode): AvroType {
  return mode === "bytes" ? "bytes" : "string";
}

/** bytea. Two characters, \x, come before the digits of its text. */
export function bytea(mode: BinaryMode, placeholder: Placeholder): Converter {
  const write = writers[mode];
  return {
    schema: binarySchema(mode),
    write:
      mode === "bytes"
        ? (to, source, start, end) => to.hex(source.toString("latin1", start + 2, end))
        : (to, source, start, end) =>
            write(to, Buffer.from(source.toString("latin1", start + 2, end), "hex")),
    writeFallback: (to) => to.long(0),
    // Under base64 too: the placeholder itself, for readers look for nothing else.
    writeUnavailable: (to) => to.bytes(placeholder.bytes),
  };
}

/** A type that no converter knows: the bytes of its text, in the form that `rewrite` gives it. */
export function opaque(
  mode: BinaryMode,
  placeholder: Placeholder,
  rewrite?: (text: string) => string,
): Converter {
  const write = writers[mode];
  return {
    schema: binarySchema(mode),
    write: (to, source, start, end) => {
      const value = source.subarray(start, end);
      write(to, rewrite ? Buffer.from(rewrite(value.toString("utf8")), "utf8") : value);
    },
    writeFallback: (to) => to.long(0),
    writeUnavailable: (to) => to.bytes(placeholder.bytes),
  };
}
