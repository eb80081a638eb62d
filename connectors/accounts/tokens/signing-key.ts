import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from "jose";

import type { KeyTimes } from "./key-schedule.ts";
import type { StoredKey } from "./key-store.ts";

/** The one algorithm: EdDSA (RFC 8037) with Ed25519. */
export const algorithm = "EdDSA";
const curve = "Ed25519";

/** A key as it is used. What is in memory of the private part can't be read out again. */
export interface SigningKey extends KeyTimes {
  readonly kid: string;
  readonly madeAtMs: number;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** Makes a key. */
export async function newKey(times: KeyTimes, madeAtMs: number): Promise<StoredKey> {
  const { privateKey } = await generateKeyPair(algorithm, { crv: curve, extractable: true });
  const { kty, crv, x, d } = await exportJWK(privateKey);
  const privateJwk = { kty, crv, x, d } as JWK;
  const kid = await calculateJwkThumbprint(publicPart(privateJwk));
  return { kid, privateJwk, madeAtMs, ...times };
}

/** Makes a stored key usable. */
export async function usableKey({ privateJwk, ...stored }: StoredKey): Promise<SigningKey> {
  const bare = publicPart(privateJwk);
  const [privateKey, publicKey] = await Promise.all([
    importJWK({ ...privateJwk, ext: false }, algorithm),
    importJWK(bare, algorithm),
  ]);
  const publicJwk = { ...bare, kid: stored.kid, alg: algorithm, use: "sig" };
  return {
    ...stored,
    privateKey: privateKey as CryptoKey,
    publicKey: publicKey as CryptoKey,
    publicJwk,
  };
}

const publicPart = ({ kty, crv, x }: JWK): JWK => ({ kty, crv, x }) as JWK;
