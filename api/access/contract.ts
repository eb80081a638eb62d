/** What a session may do. A student has what is his own and no more; a user has no own. */
export type Role = "student" | "viewer" | "operator" | "admin";

/** Who a request comes from. */
export interface Identity {
  readonly sessionId: string;
  /** A student's id, or a user's name. */
  readonly subject: string;
  readonly role: Role;
  /** Milliseconds since 1970 (UTC). */
  readonly expiresAtMs: number;
}

/** An account that somebody says is his. */
export interface AccountClaim {
  readonly kind: "student" | "user";
  readonly name: string;
  readonly password: string;
}

/** Who has proved to be what. */
export interface ProvedAccount {
  readonly subject: string;
  readonly role: Role;
}

/** Proves accounts. */
export interface Accounts {
  /**
   * undefined: the account is unknown or the password wrong, at the same cost in time, so that
   * nobody learns which accounts there are.
   */
  check(account: AccountClaim): Promise<ProvedAccount | undefined>;
}

/** Makes and reads tokens: JWTs that name a session. */
export interface Tokens {
  issue(identity: Identity): Promise<string>;
  /** @throws TokenRefused */
  verify(token: string): Promise<Identity>;
  /**
   * A number that changes when a key is withdrawn: tokens that were verified under another have to
   * be verified again. undefined: what has become of the keys was not looked up for so long that
   * each token has to be.
   */
  keysEpoch(): number | undefined;
  /** A JWK set of the public keys that verify tokens now. */
  publicKeys(): Promise<{ readonly keys: readonly object[] }>;
}

/** What is wrong with a token. */
export type TokenFault =
  "malformed" | "too-large" | "signature" | "expired" | "claims" | "key-unknown";

/** A token that proves nothing. Its text is never part of the message. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
  readonly reason: TokenFault;

  constructor(reason: TokenFault) {
    super(`The token is refused: ${reason}.`);
    this.reason = reason;
  }
}

/** How a session ends. */
export type SessionEnding = "expired" | "revoked";

/** Which sessions have ended, from `session-events`. */
export interface SessionView {
  /** How the session ended; undefined: it hasn't, as far as this process knows. */
  endOf(sessionId: string): SessionEnding | undefined;
  /** Milliseconds since all that the store had recorded was known here; undefined: never yet. */
  readonly ageMs: number | undefined;
  /** Tells what this process has just recorded, before the log does. */
  ended(sessionId: string, how: SessionEnding): void;
  /** Called once when the session ends; the answer stops it. */
  watch(sessionId: string, listener: (how: SessionEnding) => void): () => void;
}

/** Bounds of sessions, tokens, tickets and sign-ins. */
export interface AccessLimits {
  /** How long a session lasts. */
  readonly sessionMs: number;
  /** A longer token is refused before it is parsed. */
  readonly tokenBytesMax: number;
  /** How far the clocks of two processes may differ. */
  readonly skewMs: number;
  /** From this age of the view of ended sessions on, writes are refused. */
  readonly staleMs: number;
  /** Verified tokens that are remembered. */
  readonly verifiedTokensMax: number;
  /** How long a ticket can be used. */
  readonly ticketMs: number;
  readonly ticketsMax: number;
  /** Sign-ins per minute to one account, and how many at once. */
  readonly signInsPerAccount: number;
  readonly signInsPerAccountBurst: number;
  /** Sign-ins per minute from one address; as many at once. */
  readonly signInsPerAddress: number;
  /** Accounts, and addresses, whose sign-ins are counted. */
  readonly signInsRememberedMax: number;
  /** Ended sessions that are remembered until their time is over. */
  readonly endedSessionsMax: number;
  /** Passwords that are checked at once: each takes a thread and 32 MiB. */
  readonly passwordChecksMax: number;
  /** Sign-ins that wait for such a check; more are refused as `sign-in-busy`. */
  readonly passwordChecksWaitingMax: number;
}

export const defaultAccessLimits: AccessLimits = {
  sessionMs: 15 * 60_000,
  tokenBytesMax: 2_048,
  skewMs: 30_000,
  staleMs: 1_000,
  verifiedTokensMax: 20_000,
  ticketMs: 30_000,
  ticketsMax: 10_000,
  signInsPerAccount: 5,
  signInsPerAccountBurst: 10,
  signInsPerAddress: 30,
  signInsRememberedMax: 50_000,
  endedSessionsMax: 200_000,
  passwordChecksMax: 2,
  passwordChecksWaitingMax: 50,
};

/** What the API needs to know who asks. */
export interface Access {
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly sessions: SessionView;
  readonly limits: AccessLimits;
  /** Exact origins that browsers may open streams from, beside the server's own. */
  readonly origins: readonly string[];
}
