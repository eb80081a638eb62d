import type { AvroWriter } from "../avro-writer.ts";
import { unrepresentable, type AvroType, type Converter } from "./converter.ts";

export interface Count {
  readonly schema: AvroType;
  /** The text that counts nothing. */
  readonly zero: string;
  readonly count: (text: string) => number | bigint;
}

/** A converter whose value is one whole number. */
export function counted({ schema, zero, count }: Count): Converter {
  return {
    schema,
    write: (to, bytes, start, end) => writeCount(to, count(bytes.toString("latin1", start, end))),
    writeFallback: (to) => to.long(0),
    defaultOf: (literal = zero) => ({ json: Number(count(literal)), text: literal }),
  };
}

function writeCount(to: AvroWriter, value: number | bigint): void {
  if (typeof value === "number") to.long(value);
  else if (value >= -0x8000000000000n && value <= 0x8000000000000n) to.long(Number(value));
  else if (value === BigInt.asIntN(64, value)) to.bigLong(value);
  else throw unrepresentable(`${value}`, "a count of 64 bits");
}

/** A converter whose value is a text made of Postgres' text. */
export function rewritten(given: {
  readonly schema: AvroType;
  readonly zero: string;
  /** What stands for a column that a delete doesn't tell. */
  readonly fallback: string;
  readonly rewrite: (text: string) => string;
}): Converter {
  const { schema, zero, fallback, rewrite } = given;
  return {
    schema,
    write: (to, bytes, start, end) => to.ascii(rewrite(bytes.toString("latin1", start, end))),
    writeFallback: (to) => to.ascii(fallback),
    defaultOf: (literal = zero) => ({ json: rewrite(literal), text: literal }),
  };
}
