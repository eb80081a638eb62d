import type { AccountClaim } from "../../../api/access/contract.ts";
import type { AccountStore, StoredAccount } from "./account-store.ts";

/** Accounts in memory, for tests. */
export class MemoryAccountStore implements AccountStore {
  readonly #accounts: ReadonlyMap<string, StoredAccount>;

  constructor(accounts: readonly (Pick<AccountClaim, "kind" | "name"> & StoredAccount)[]) {
    this.#accounts = new Map(accounts.map((one) => [`${one.kind}:${one.name}`, one]));
  }

  async find({ kind, name }: Pick<AccountClaim, "kind" | "name">) {
    return this.#accounts.get(`${kind}:${name}`);
  }
}
