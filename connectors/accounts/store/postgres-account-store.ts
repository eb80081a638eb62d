import type { Pool } from "pg";

import type { AccountClaim, Role } from "../../../api/access/contract.ts";
import type { AccountStore, StoredAccount } from "./account-store.ts";

interface Row {
  readonly role: Role;
  readonly password_hash: string;
}

const texts: Readonly<Record<AccountClaim["kind"], string>> = {
  student: "select 'student' as role, password_hash from catalogue.students where id = $1",
  user: "select role, password_hash from refold.users where name = $1",
};

/** Names are of bounded length in both tables; Postgres has no text with a NUL in it. */
const couldBe = (name: string): boolean =>
  name.length > 0 && name.length <= 200 && !name.includes("\0");

/** Accounts as rows of Postgres, read at each sign-in: what was changed a moment ago counts. */
export class PostgresAccountStore implements AccountStore {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  async find({
    kind,
    name,
  }: Pick<AccountClaim, "kind" | "name">): Promise<StoredAccount | undefined> {
    if (!couldBe(name)) return undefined;
    const { rows } = await this.#pool.query<Row>({
      name: `account-${kind}`,
      text: texts[kind],
      values: [name],
    });
    return rows[0] && { role: rows[0].role, passwordHash: rows[0].password_hash };
  }
}
