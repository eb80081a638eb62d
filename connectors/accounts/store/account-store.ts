import type { AccountClaim, Role } from "../../../api/access/contract.ts";

export type UserRole = Exclude<Role, "student">;

/** An account as it is stored. */
export interface StoredAccount {
  readonly role: Role;
  /** A PHC string, or whatever stands in the row. */
  readonly passwordHash: string;
}

/** Where accounts are found. */
export interface AccountStore {
  /** undefined: there is none of this name. */
  find(account: Pick<AccountClaim, "kind" | "name">): Promise<StoredAccount | undefined>;
}
