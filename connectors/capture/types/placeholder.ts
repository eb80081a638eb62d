import { createHash } from "node:crypto";

/** What an unchanged value stored out of line is written as, in the forms that types need. */
export interface Placeholder {
  readonly text: string;
  readonly bytes: Buffer;
  /** As an item of a uuid array: the version 3 UUID of the bytes. */
  readonly uuid: string;
}

/** @param given A text, or `hex:` and the digits of its bytes. */
export function placeholderOf(given: string): Placeholder {
  const isHex = given.startsWith("hex:");
  const bytes = isHex ? Buffer.from(given.slice(4), "hex") : Buffer.from(given, "utf8");
  return { text: bytes.toString("utf8"), bytes, uuid: nameUuid(bytes) };
}

/** A UUID from a name without a namespace, as Java's `UUID.nameUUIDFromBytes` makes it. */
function nameUuid(name: Buffer): string {
  const digest = createHash("md5").update(name).digest();
  digest[6] = ((digest[6] as number) & 0x0f) | 0x30;
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
  const hex = digest.toString("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return [...parts, hex.slice(20)].join("-");
}
