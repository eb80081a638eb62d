import { TokenRefused } from "../../../api/access/contract.ts";
import { algorithm } from "./signing-key.ts";

/** Of the tokens that are made here; an access token of ours has no other. */
export const tokenType = "JWT";

const partsCount = 3;

const kidPattern = /^[A-Za-z0-9_-]{1,100}$/;

/**
 * Looks at a token before anything is believed: its size before it is taken apart, its header before
 * a key is chosen. The header names no keys of its own (`jwk`, `jku`, `x5u`, `x5c`) and asks for
 * nothing that we don't know (`crit`, `b64`, `zip`): it has three members (RFC 8725, 3.1 and 3.10).
 *
 * @returns the id of the key that is said to have signed it.
 * @throws TokenRefused
 */
export function keyIdOf(token: string, tokenBytesMax: number): string {
  if (token.length > tokenBytesMax) throw new TokenRefused("too-large");
  const parts = token.split(".", partsCount + 1);
  if (parts.length !== partsCount || !parts.every(isCanonical)) throw new TokenRefused("malformed");
  const [header = ""] = parts;
  const { alg, kid, typ, ...more } = objectIn(header);
  if (Object.keys(more).length > 0) throw new TokenRefused("malformed");
  if (alg !== algorithm) throw new TokenRefused("signature");
  if (typ !== tokenType || typeof kid !== "string" || !kidPattern.test(kid)) {
    throw new TokenRefused("malformed");
  }
  return kid;
}

/**
 * The object that a part of a token holds, written as we write it: that leaves no room for a name
 * that stands twice, which two readers could take in two ways.
 *
 * @throws TokenRefused
 */
export function objectIn(part: string): Readonly<Record<string, unknown>> {
  const text = Buffer.from(part, "base64url").toString();
  try {
    const value = JSON.parse(text) as unknown;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isObject && JSON.stringify(value) === text) return value as Record<string, unknown>;
  } catch {
    // Told below: what is wrong with it doesn't matter.
  }
  throw new TokenRefused("malformed");
}

/** Base64url without padding, whose last character has no bits to spare: one text for one token. */
const isCanonical = (part: string): boolean =>
  part.length > 0 && Buffer.from(part, "base64url").toString("base64url") === part;
