import type { Pool } from "pg";

import {
  type AccessLimits,
  type AccountClaim,
  type Accounts,
  defaultAccessLimits,
  type ProvedAccount,
} from "../../api/access/contract.ts";
import { Passwords } from "./passwords/passwords.ts";
import { type ScryptCost, UnusablePasswordHash } from "./passwords/phc.ts";
import type { AccountStore, UserRole } from "./store/account-store.ts";
import { MemoryAccountStore } from "./store/memory-account-store.ts";
import { PostgresAccountStore } from "./store/postgres-account-store.ts";

export type PasswordLimits = Pick<AccessLimits, "passwordChecksMax" | "passwordChecksWaitingMax">;

export interface AccountsOptions {
  readonly store: AccountStore;
  readonly passwords: Passwords;
  /** Told of rows whose hash can't be used: whoever signs in is only refused. */
  readonly report: (message: string) => void;
}

/** Accounts proved by their passwords. */
export class PasswordAccounts implements Accounts {
  readonly #options: AccountsOptions;

  constructor(options: AccountsOptions) {
    this.#options = options;
  }

  /** @throws TransientError `sign-in-busy` when too many passwords wait to be checked. */
  async check({ kind, name, password }: AccountClaim): Promise<ProvedAccount | undefined> {
    const { store, passwords, report } = this.#options;
    const found = await store.find({ kind, name });
    try {
      const right = await passwords.matches(password, found?.passwordHash);
      return found !== undefined && right ? { subject: name, role: found.role } : undefined;
    } catch (error) {
      if (!(error instanceof UnusablePasswordHash)) throw error;
      report(
        `The password of ${kind} ${JSON.stringify(name)} can't be checked: ${error.message}. ` +
          "Set it anew (refold users password, or a hash of refold users hash).",
      );
      return undefined;
    }
  }
}

/** Students of the catalogue, and users, in Postgres. */
export function openAccounts(options: {
  readonly pool: Pool;
  readonly limits?: PasswordLimits;
  readonly report: (message: string) => void;
}): Accounts {
  const { pool, limits, report } = options;
  const store = new PostgresAccountStore({ pool });
  return new PasswordAccounts({ store, passwords: passwordsWithin({ limits }), report });
}

/** The same over accounts in memory, with a cheap hash: for tests. */
export async function memoryAccounts(options: {
  readonly students?: readonly { readonly id: string; readonly password: string }[];
  readonly users?: readonly {
    readonly name: string;
    readonly password: string;
    readonly role: UserRole;
  }[];
  readonly limits?: PasswordLimits;
  readonly report?: (message: string) => void;
}): Promise<Accounts> {
  const { students = [], users = [], limits, report = () => undefined } = options;
  const passwords = passwordsWithin({ limits, cost: { ln: 4, r: 8, p: 1 } });
  const accounts = [
    ...students.map(
      ({ id, ...one }) => ({ ...one, kind: "student", name: id, role: "student" }) as const,
    ),
    ...users.map((one) => ({ ...one, kind: "user" }) as const),
  ];
  const stored = [];
  for (const { password, ...account } of accounts) {
    stored.push({ ...account, passwordHash: await passwords.hash(password) });
  }
  return new PasswordAccounts({ store: new MemoryAccountStore(stored), passwords, report });
}

/** For who hashes a password to be stored. */
export const defaultPasswords = (): Passwords => passwordsWithin({ limits: undefined });

function passwordsWithin({
  limits = defaultAccessLimits,
  cost,
}: {
  readonly limits: PasswordLimits | undefined;
  readonly cost?: ScryptCost;
}): Passwords {
  return new Passwords({
    checksMax: limits.passwordChecksMax,
    checksWaitingMax: limits.passwordChecksWaitingMax,
    ...(cost === undefined ? {} : { cost }),
  });
}
