import { createHmac, timingSafeEqual } from "node:crypto";

/** A message with what signs it, but for the signature. */
export interface SignedMessage {
  readonly id: string;
  /** Whole seconds since 1970 (UTC), as text. */
  readonly timestamp: string;
  /** Exactly the bytes that were sent. */
  readonly body: Uint8Array;
}

const secretPrefix = "whsec_";
const version = "v1";

/** Bounds of the specification for symmetric secrets. */
const keyBytesMin = 24;
const keyBytesMax = 64;

/**
 * Signatures after the Standard Webhooks specification, symmetric scheme
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
 * HMAC-SHA256 over `<id>.<timestamp>.<body>`, in base64 after `v1,`.
 */
export function signatureOf({ id, timestamp, body }: SignedMessage, key: Uint8Array): string {
  const hmac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  return `${version},${hmac.digest("base64")}`;
}

/**
 * Is one of these signatures (with spaces between, as the header has them) made with one of these
 * keys? All are compared, each in constant time, so that the time tells nothing of them.
 */
export function isSigned(
  message: SignedMessage,
  signatures: string,
  keys: readonly Uint8Array[],
): boolean {
  const given = signatures.split(" ").map((text) => Buffer.from(text));
  let found = false;
  for (const key of keys) {
    const wanted = Buffer.from(signatureOf(message, key));
    for (const one of given) {
      const same = one.length === wanted.length && timingSafeEqual(one, wanted);
      found = same || found;
    }
  }
  return found;
}

/**
 * The key that a secret stands for: base64, with or without `whsec_` before it.
 *
 * @throws TypeError for what is no base64, or has too few or too many bytes; it doesn't show it.
 */
export function keyOfSecret(secret: string): Uint8Array {
  const text = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret;
  const key = Buffer.from(text, "base64");
  const isBase64 = key.toString("base64").replace(/=+$/, "") === text.replace(/=+$/, "");
  if (isBase64 && key.length >= keyBytesMin && key.length <= keyBytesMax) return key;
  throw new TypeError(
    `a secret is ${secretPrefix} and base64 of ${keyBytesMin} to ${keyBytesMax} bytes`,
  );
}
