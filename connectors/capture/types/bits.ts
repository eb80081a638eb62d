import type { AvroWriter } from "../avro-writer.ts";
import { connectType, unrepresentable, type Converter } from "./converter.ts";

const digit1 = 0x31;
/** What the Connect schema tells as the length of a bit varying without one. */
const unbounded = 2_147_483_647;

const oneBit: Converter = {
  schema: "boolean",
  write: (to, bytes, start, end) => {
    if (end === start) throw unrepresentable("(no bits)", "bit varying(1)");
    to.boolean(bytes[end - 1] === digit1);
  },
  writeFallback: (to) => to.boolean(false),
  defaultOf: (literal = "0") => ({ json: literal === "1", text: literal }),
};

/** One bit is a boolean; more are bytes, the lowest first, without the zeros at the end. */
export function bits(modifier: number): Converter {
  if (modifier === 1) return oneBit;
  const length = { length: `${modifier < 0 ? unbounded : modifier}` };
  return {
    schema: connectType("bytes", "io.debezium.data.Bits", length),
    write: (to, bytes, start, end) => to.bytes(packed(bytes.subarray(start, end))),
    writeFallback: (to: AvroWriter) => to.long(0),
    defaultOf: (literal = "0") => ({
      json: packed(Buffer.from(literal)).toString("latin1"),
      text: literal,
    }),
  };
}

/** The digits from the last on, eight to a byte. */
function packed(digits: Buffer): Buffer {
  const first = digits.indexOf(digit1);
  if (first < 0) return Buffer.alloc(0);
  const size = Math.ceil((digits.length - first) / 8);
  const value = Buffer.alloc(size);
  for (let at = first; at < digits.length; at++) {
    if (digits[at] !== digit1) continue;
    const bit = digits.length - 1 - at;
    value[bit >> 3] = (value[bit >> 3] as number) | (1 << (bit & 7));
  }
  return value;
}
