import {
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";

import type { StoredKey } from "../../connectors/accounts/index.ts";

/** Parts of a token as an attacker writes them: text, not objects, so that nothing is put right. */
export interface Forged {
  readonly header: string;
  readonly payload: string;
}

const encoded = (text: string): string => Buffer.from(text).toString("base64url");

/** A token with a true signature of this key over whatever its parts say. */
export function signedWith(key: KeyObject, { header, payload }: Forged): string {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}

export function hmacWith(secret: string | Buffer, { header, payload }: Forged): string {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

export const privateKeyOf = ({ privateJwk }: StoredKey): KeyObject =>
  createPrivateKey({ key: privateJwk, format: "jwk" });

export const strangeKey = () => generateKeyPairSync("ed25519");

/** The parts of a token as text. */
export function partsOf(token: string): Forged & { readonly signature: string } {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const text = (part: string): string => Buffer.from(part, "base64url").toString();
  return { header: text(header), payload: text(payload), signature };
}
