/**
 * Who may sign in, beside the students of the catalogue, and the keys that sign tokens. Whoever can
 * read `refold.signing_keys` can make tokens: roles that only read get no right on it.
 */
export const accountMigrations: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: "accounts-1",
    sql: `
      create table refold.users (
        name text primary key check (length(name) between 1 and 200),
        role text not null check (role in ('viewer', 'operator', 'admin')),
        password_hash text not null,
        made_at timestamptz(3) not null default now(),
        password_at timestamptz(3) not null default now()
      );

      create table refold.signing_keys (
        kid text primary key,
        private_jwk jsonb not null,
        made_at timestamptz(3) not null,
        signs_from timestamptz(3) not null,
        signs_until timestamptz(3) not null,
        verifies_until timestamptz(3) not null
      )`,
  },
];
