import { randomBytes } from "node:crypto";

import type { Pool } from "pg";

import { AccountBook, Passwords } from "../../../connectors/accounts/index.ts";
import { CommandFailure } from "../../command-failure.ts";

export interface Password {
  readonly name: string;
  readonly password: string;
}

export interface DemoAccounts {
  /** Students who sign in themselves. */
  readonly signingIn: readonly Password[];
  /** Students who are signed in by the demo. */
  readonly others: readonly string[];
  /** For whoever wants to look on through the page. */
  readonly operator: Password;
}

/**
 * A thirty-second of what a real password costs to check: a hundred students sign in within moments
 * on the processors that everything else runs on too.
 */
const cheap = { ln: 10, r: 8, p: 1 };

/** No password gives this hash. */
const locked = "!";

/** Puts students and an operator into their tables. */
export async function makeAccounts(
  pool: Pool,
  students: readonly string[],
  signInsMax: number,
): Promise<DemoAccounts> {
  const passwords = new Passwords({ checksMax: 2, checksWaitingMax: signInsMax, cost: cheap });
  const signingIn = students.slice(0, signInsMax).map(withPassword);
  const hashes = await Promise.all(signingIn.map(({ password }) => passwords.hash(password)));
  await pool.query(
    `insert into catalogue.students (id, name, email, password_hash)
     select id, 'Student ' || id, id || '@example.org', hash
     from unnest($1::text[], $2::text[]) as student (id, hash)`,
    [students, students.map((_, at) => hashes[at] ?? locked)],
  );
  const operator = withPassword("demo");
  const passwordHash = await passwords.hash(operator.password);
  const added = await new AccountBook({ pool }).addUser({
    name: operator.name,
    role: "operator",
    passwordHash,
  });
  if (!added) {
    const message = "The data folder has had a demo before: name a new one with --data.";
    throw new CommandFailure("refused", message);
  }
  return { signingIn, others: students.slice(signInsMax), operator };
}

const withPassword = (name: string): Password => ({
  name,
  password: randomBytes(12).toString("base64url"),
});
