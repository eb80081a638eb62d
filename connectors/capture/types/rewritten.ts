import { createHash } from "node:crypto";

import type { AvroWriter } from "../avro-writer.ts";
import type { Converter } from "./converter.ts";
import type { ColumnType } from "./resolve.ts";

/** What is told in place of a text column's values. */
export type Rewrite =
  /** So many UTF-16 units at most. */
  | { readonly kind: "truncate"; readonly length: number }
  /** The same text for all, NULL among them. */
  | { readonly kind: "mask"; readonly text: string }
  /**
   * The digest of salt and value, as hexadecimal digits; `serialized`: of the value as Java
   * serializes a string (https://docs.oracle.com/en/java/javase/21/docs/specs/serialization/protocol.html).
   */
  | {
      readonly kind: "hash";
      /** As node:crypto names it. */
      readonly algorithm: string;
      readonly salt: string;
      readonly input: "text" | "serialized";
    };

const texts = new Set(["text", "varchar", "bpchar"]);

export function isRewritable({ schema, name, array }: ColumnType): boolean {
  return schema === "pg_catalog" && !array && texts.has(name);
}

/** A text column's converter with what is told in its values' place. */
export function rewritten(plain: Converter, rewrite: Rewrite, type: ColumnType): Converter {
  const lengthMax = type.modifier < 4 ? Infinity : type.modifier - 4;
  // Values that can't be longer are told as they are.
  if (rewrite.kind === "truncate" && lengthMax <= rewrite.length) return plain;
  const tell = rewriter(rewrite, lengthMax);
  const place = (to: AvroWriter, value: string): void => to.string(tell(value));
  const parameters =
    rewrite.kind === "truncate" ? { truncateLength: String(rewrite.length) } : { masked: "true" };
  const unavailable = plain.writeUnavailable && unavailableText(plain.writeUnavailable);
  return {
    schema: { type: "string", "connect.parameters": parameters },
    write: (to, bytes, start, end) => place(to, bytes.toString("utf8", start, end)),
    writeFallback: (to) => place(to, ""),
    ...(rewrite.kind === "mask" ? { writeNull: (to) => to.string(rewrite.text) } : {}),
    ...(unavailable === undefined ? {} : { writeUnavailable: (to) => place(to, unavailable) }),
    ...(plain.defaultOf ? { defaultOf: plain.defaultOf } : {}),
  };
}

function rewriter(rewrite: Rewrite, lengthMax: number): (value: string) => string {
  switch (rewrite.kind) {
    case "truncate":
      return (value) => cut(value, rewrite.length);
    case "mask":
      return () => rewrite.text;
    case "hash":
      return (value) => {
        const input = rewrite.input === "text" ? Buffer.from(value, "utf8") : serialized(value);
        const hash = createHash(rewrite.algorithm).update(rewrite.salt, "utf8").update(input);
        return cut(hash.digest("hex"), lengthMax);
      };
    default:
      return rewrite satisfies never;
  }
}

/** Half a pair of surrogates at the end is written as Java writes what has no UTF-8. */
const cut = (value: string, length: number): string =>
  value.length <= length ? value : value.slice(0, length).replace(/[\uD800-\uDBFF]$/u, "?");

const streamHeader = Buffer.from([0xac, 0xed, 0x00, 0x05]);
const shortString = 0x74;
const longString = 0x7c;
const shortStringMax = 0xffff;

function serialized(value: string): Buffer {
  const bytes = modifiedUtf8(value);
  if (bytes.length <= shortStringMax) {
    const length = Buffer.from([shortString, bytes.length >> 8, bytes.length & 0xff]);
    return Buffer.concat([streamHeader, length, bytes]);
  }
  const length = Buffer.alloc(9);
  length[0] = longString;
  length.writeBigInt64BE(BigInt(bytes.length), 1);
  return Buffer.concat([streamHeader, length, bytes]);
}

/** Each unit of UTF-16 by itself; Postgres' texts have no zero byte, which would differ too. */
function modifiedUtf8(value: string): Buffer {
  if (!/[\uD800-\uDFFF]/.test(value)) return Buffer.from(value, "utf8");
  const parts = Array.from({ length: value.length }, (_, at) => {
    const unit = value.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) return Buffer.from(value.charAt(at), "utf8");
    return Buffer.from([0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]);
  });
  return Buffer.concat(parts);
}

/** The placeholder as the plain converter tells it. */
function unavailableText(write: NonNullable<Converter["writeUnavailable"]>): string {
  let told = "";
  const writer: Pick<AvroWriter, "string"> = { string: (value: string) => (told = value) };
  write(writer as AvroWriter);
  return told;
}
