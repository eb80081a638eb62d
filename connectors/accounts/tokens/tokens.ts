import { errors, jwtVerify, SignJWT } from "jose";

import {
  type AccessLimits,
  defaultAccessLimits,
  type Identity,
  TokenRefused,
  type Tokens,
} from "../../../api/access/contract.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import { audience, claimsOf, identityOf, issuer, requiredClaims } from "./claims.ts";
import type { KeyRing } from "./key-ring.ts";
import { algorithm, type SigningKey } from "./signing-key.ts";
import { keyIdOf, objectIn, tokenType } from "./token-text.ts";

export type TokenLimits = Pick<AccessLimits, "sessionMs" | "skewMs" | "tokenBytesMax">;

export interface SignedTokensOptions {
  readonly keys: Pick<KeyRing, "signer" | "verifier" | "published" | "epoch">;
  readonly clock: Clock;
  readonly limits?: TokenLimits;
}

/**
 * JSON Web Tokens (RFC 7519) signed with Ed25519, made and read after the best practices of RFC
 * 8725: one algorithm, keys of ours alone, every claim demanded, nothing parsed that is too large.
 */
export class SignedTokens implements Tokens {
  readonly #options: SignedTokensOptions;
  readonly #limits: TokenLimits;

  constructor(options: SignedTokensOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultAccessLimits;
  }

  async issue(identity: Identity): Promise<string> {
    const { keys, clock } = this.#options;
    const { kid, privateKey } = await keys.signer();
    const claims = claimsOf(identity, clock.nowMs(), this.#limits);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: algorithm, kid, typ: tokenType })
      .sign(privateKey);
  }

  async verify(token: string): Promise<Identity> {
    const kid = keyIdOf(token, this.#limits.tokenBytesMax);
    const key = await this.#options.keys.verifier(kid);
    if (key === undefined) throw new TokenRefused("key-unknown");
    const nowMs = this.#options.clock.nowMs();
    await this.#assertSigned(token, key, nowMs);
    const [, payload = ""] = token.split(".");
    return identityOf(objectIn(payload), nowMs, this.#limits);
  }

  keysEpoch(): number | undefined {
    return this.#options.keys.epoch();
  }

  async publicKeys() {
    const keys = await this.#options.keys.published();
    return { keys: keys.map(({ publicJwk }) => publicJwk) };
  }

  /** Signature, type, issuer, audience, that all claims are there, and the two ends of its time. */
  async #assertSigned(token: string, { publicKey }: SigningKey, nowMs: number): Promise<void> {
    try {
      await jwtVerify(token, publicKey, {
        algorithms: [algorithm],
        typ: tokenType,
        issuer,
        audience,
        requiredClaims: [...requiredClaims],
        clockTolerance: this.#limits.skewMs / 1_000,
        currentDate: new Date(nowMs),
      });
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

/** What the library found; its own errors carry the claims, so none goes on. */
function refusalOf(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new TokenRefused("expired");
  if (error instanceof errors.JWTClaimValidationFailed) return new TokenRefused("claims");
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenRefused("signature");
  if (error instanceof errors.JOSEError) return new TokenRefused("malformed");
  return error;
}
