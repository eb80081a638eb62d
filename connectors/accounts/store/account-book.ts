import type { Pool } from "pg";

import type { AccountClaim } from "../../../api/access/contract.ts";
import type { UserRole } from "./account-store.ts";

export type AccountName = Pick<AccountClaim, "kind" | "name">;

export interface ListedUser {
  readonly name: string;
  readonly role: UserRole;
  readonly madeAt: Date;
  /** When its password was set last. */
  readonly passwordAt: Date;
}

export interface NewStudent {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly passwordHash: string;
}

interface Row {
  readonly name: string;
  readonly role: UserRole;
  readonly made_at: Date;
  readonly password_at: Date;
}

const removal: Readonly<Record<AccountClaim["kind"], string>> = {
  student: "delete from catalogue.students where id = $1",
  user: "delete from refold.users where name = $1",
};

const newPassword: Readonly<Record<AccountClaim["kind"], string>> = {
  student: "update catalogue.students set password_hash = $2 where id = $1",
  user: "update refold.users set password_hash = $2, password_at = now() where name = $1",
};

/** The accounts, for who administers them. Answers of `false`: there is one already, or none. */
export class AccountBook {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  /** Users in order of their names, at most `limit`. */
  async users(limit: number): Promise<readonly ListedUser[]> {
    const text = "select name, role, made_at, password_at from refold.users order by name limit $1";
    const { rows } = await this.#pool.query<Row>(text, [limit]);
    return rows.map((row) => ({
      name: row.name,
      role: row.role,
      madeAt: row.made_at,
      passwordAt: row.password_at,
    }));
  }

  /** undefined: there is no user of this name. */
  async roleOf(name: string): Promise<UserRole | undefined> {
    const text = "select role from refold.users where name = $1";
    return (await this.#pool.query<Row>(text, [name])).rows[0]?.role;
  }

  addUser(user: {
    readonly name: string;
    readonly role: UserRole;
    readonly passwordHash: string;
  }): Promise<boolean> {
    return this.#changes(
      `insert into refold.users (name, role, password_hash) values ($1, $2, $3)
       on conflict do nothing`,
      [user.name, user.role, user.passwordHash],
    );
  }

  addStudent({ id, name, email, passwordHash }: NewStudent): Promise<boolean> {
    return this.#changes(
      `insert into catalogue.students (id, name, email, password_hash) values ($1, $2, $3, $4)
       on conflict do nothing`,
      [id, name, email, passwordHash],
    );
  }

  remove({ kind, name }: AccountName): Promise<boolean> {
    return this.#changes(removal[kind], [name]);
  }

  setPassword({ kind, name }: AccountName, passwordHash: string): Promise<boolean> {
    return this.#changes(newPassword[kind], [name, passwordHash]);
  }

  async #changes(text: string, values: readonly string[]): Promise<boolean> {
    return ((await this.#pool.query(text, [...values])).rowCount ?? 0) > 0;
  }
}
