import type { Access, AccessLimits, Identity } from "../../api/access/contract.ts";
import { defaultAccessLimits, type Role } from "../../api/access/contract.ts";
import { EndedSessions } from "../../api/access/ended-sessions.ts";
import {
  type KeyStore,
  memoryAccounts,
  MemoryKeyStore,
  memoryTokens,
} from "../../connectors/accounts/index.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import { realClock } from "./real-clock.ts";
import { type Given, serverOfTest } from "./server.ts";

export const passwords = { ada: "ada has a long one", olga: "olga has another" } as const;

export interface GivenAccess extends Given {
  readonly limits?: Partial<AccessLimits>;
  readonly origins?: readonly string[];
  readonly clock?: Clock;
  /** Where the keys are that sign tokens. */
  readonly keyStore?: KeyStore;
}

/** A server that asks who somebody is, with the accounts of a student, ada, and of users. */
export async function guardedServer(given: GivenAccess = {}) {
  const { origins = [], clock = realClock, keyStore: store = new MemoryKeyStore() } = given;
  const limits = { ...defaultAccessLimits, ...given.limits };
  const known = new EndedSessions({ clock, limits });
  // `ageMs` is the test's to set.
  const sessions = {
    ageMs: 0 as number | undefined,
    endOf: (id: string) => known.endOf(id),
    ended: (id: string, how: "expired" | "revoked") => known.ended(id, how),
    watch: (id: string, listener: (how: "expired" | "revoked") => void) =>
      known.watch(id, listener),
  };
  const tokens = memoryTokens({ clock, limits, store });
  const accounts = await memoryAccounts({
    students: [{ id: "ada", password: passwords.ada }],
    users: [{ name: "olga", password: passwords.olga, role: "operator" }],
    limits,
  });
  const access: Access = { accounts, tokens, sessions, limits, origins };
  const server = await serverOfTest({ ...given, deps: { ...given.deps, access, clock } });
  server.campus.history.nowMs = clock.nowMs();
  return { ...server, access, sessions, tokens };
}

export type GuardedServer = Awaited<ReturnType<typeof guardedServer>>;

let made = 0;

/** Headers of a session that nobody had to sign in for. */
export async function sessionOf(
  { access }: Pick<GuardedServer, "access">,
  role: Role,
  of: Partial<Identity> = {},
) {
  const identity: Identity = {
    sessionId: `s-${(made += 1)}`,
    subject: role === "student" ? "ada" : `a-${role}`,
    role,
    expiresAtMs: Date.now() + 60_000,
    ...of,
  };
  const token = await access.tokens.issue(identity);
  return { identity, token, headers: { authorization: `Bearer ${token}` } };
}
