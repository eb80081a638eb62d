import {
  type AccessLimits,
  type Identity,
  type Role,
  TokenRefused,
} from "../../../api/access/contract.ts";

/** Of all tokens of ours, as issuer and as audience: they are made here, for here. */
export const issuer = "refold";
export const audience = "refold";

export type ClaimLimits = Pick<AccessLimits, "sessionMs" | "skewMs">;

/** What a token says. Times in seconds since 1970 (RFC 7519, NumericDate). */
export interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly jti: string;
  readonly role: string;
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
}

export const requiredClaims = ["iss", "aud", "sub", "jti", "role", "iat", "nbf", "exp"] as const;

const roles: Readonly<Record<Role, true>> = {
  student: true,
  viewer: true,
  operator: true,
  admin: true,
};

/**
 * Whole seconds, rounded down: a token is never good for longer than its session. Where the clock
 * that gave the session its end is ahead of ours, the token is as old as the session is.
 */
export function claimsOf(identity: Identity, nowMs: number, { sessionMs }: ClaimLimits): Claims {
  const exp = seconds(identity.expiresAtMs);
  const iat = Math.max(seconds(nowMs), exp - seconds(sessionMs));
  const { subject: sub, sessionId: jti, role } = identity;
  return { iss: issuer, aud: audience, sub, jti, role, iat, nbf: iat, exp };
}

/** Who claims say it is, once their signature and times are found good. @throws TokenRefused */
export function identityOf(
  claims: Readonly<Record<string, unknown>>,
  nowMs: number,
  limits: ClaimLimits,
): Identity {
  const { sub, jti, role, aud, iat, nbf, exp } = claims;
  const named = isText(sub) && isText(jti) && isRole(role) && aud === audience;
  const timed = isTime(iat) && isTime(nbf) && isTime(exp);
  if (!named || !timed) throw new TokenRefused("claims");
  const tooNew = iat > seconds(nowMs + limits.skewMs);
  const tooLong = exp - Math.min(iat, nbf) > seconds(limits.sessionMs);
  if (tooNew || tooLong || exp <= iat) throw new TokenRefused("claims");
  return { sessionId: jti, subject: sub, role, expiresAtMs: exp * 1_000 };
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);

const isText = (value: unknown): value is string => typeof value === "string" && value.length > 0;

const isTime = (value: unknown): value is number => Number.isSafeInteger(value);

const isRole = (value: unknown): value is Role =>
  typeof value === "string" && Object.hasOwn(roles, value);
