import { createHash } from "node:crypto";

import { canonicalForm } from "./canonical-form.ts";
import type { Schema } from "./schema.ts";

export type FingerprintAlgorithm = "CRC-64-AVRO" | "MD5" | "SHA-256";

/**
 * Fingerprint of a schema's canonical form. The 64 bits of CRC-64-AVRO stand most significant byte
 * first; the single-object encoding writes them the other way round.
 */
export function fingerprint(schema: Schema, algorithm: FingerprintAlgorithm): Buffer {
  const form = Buffer.from(canonicalForm(schema));
  switch (algorithm) {
    case "MD5":
      return createHash("md5").update(form).digest();
    case "SHA-256":
      return createHash("sha256").update(form).digest();
    case "CRC-64-AVRO":
      break;
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(crc64(form));
  return bytes;
}

/** The empty fingerprint and polynomial of the specification, "Schema Fingerprints". */
const empty = 0xc15d213aa4d7a795n;

const table = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) value = (value >> 1n) ^ (value & 1n ? empty : 0n);
  return value;
});

function crc64(bytes: Uint8Array): bigint {
  let value = empty;
  for (const byte of bytes) {
    value = (value >> 8n) ^ (table[Number(value & 0xffn) ^ byte] as bigint);
  }
  return value;
}
