import { describe, expect, test } from "vitest";

import { AccountBook, defaultPasswords, openAccounts } from "../../connectors/accounts/index.ts";
import { poolsOfTest } from "./database-of-accounts.ts";

async function stage() {
  const [pool] = await poolsOfTest(1);
  if (pool === undefined) throw new Error("No pool was made.");
  const reports: string[] = [];
  const accounts = openAccounts({ pool, report: (text) => reports.push(text) });
  const passwordHash = await defaultPasswords().hash("a good password");
  const password = "a good password";
  return { pool, reports, accounts, book: new AccountBook({ pool }), passwordHash, password };
}

describe("accounts in Postgres", () => {
  test("of users and students are proved by their passwords, each under its own kind", async () => {
    const { accounts, book, passwordHash, password } = await stage();
    await book.addUser({ name: "olga", role: "operator", passwordHash });
    await book.addStudent({ id: "s-1", name: "Sam", email: "sam@example.org", passwordHash });
    const check = (kind: "user" | "student", name: string) =>
      accounts.check({ kind, name, password });
    expect(await check("user", "olga")).toEqual({ subject: "olga", role: "operator" });
    expect(await check("student", "s-1")).toEqual({ subject: "s-1", role: "student" });
    expect(await check("student", "olga")).toBeUndefined();
    expect(await check("user", "s-1")).toBeUndefined();
  });

  test("are read at each check: a new password counts at once, and so does a removal", async () => {
    const { accounts, book, passwordHash, password } = await stage();
    const olga = { kind: "user", name: "olga" } as const;
    await book.addUser({ name: "olga", role: "viewer", passwordHash });
    await book.setPassword(olga, await defaultPasswords().hash("another password"));
    expect(await accounts.check({ ...olga, password })).toBeUndefined();
    const other = { ...olga, password: "another password" };
    expect(await accounts.check(other)).toEqual({ subject: "olga", role: "viewer" });
    expect(await book.remove(olga)).toBe(true);
    expect(await accounts.check(other)).toBeUndefined();
    expect(await book.remove(olga)).toBe(false);
    expect(await book.setPassword(olga, passwordHash)).toBe(false);
  });

  test("are added once: the second leaves the first as it is", async () => {
    const { accounts, book, passwordHash, password } = await stage();
    const olga = { name: "olga", role: "viewer", passwordHash } as const;
    expect(await book.addUser(olga)).toBe(true);
    expect(await book.addUser({ ...olga, role: "admin", passwordHash: "other" })).toBe(false);
    expect(await accounts.check({ kind: "user", name: "olga", password })).toMatchObject({
      role: "viewer",
    });
    expect(await book.users(10)).toMatchObject([{ name: "olga", role: "viewer" }]);
  });

  test("take names of any kind for a no, whatever is in them", async () => {
    const { accounts, password } = await stage();
    const names = [
      "",
      "\0",
      "a\0b",
      "x".repeat(100_000),
      "'; drop table refold.users; --",
      "\uD800",
    ];
    for (const name of names) {
      for (const kind of ["user", "student"] as const) {
        expect(await accounts.check({ kind, name, password }), name).toBeUndefined();
      }
    }
  });

  test("whose row has no hash of ours are a no, and the operator is told of it", async () => {
    const { accounts, pool, reports, password } = await stage();
    await pool.query(
      `insert into catalogue.students (id, name, email, password_hash)
       values ('s-1', 'Sam', 'sam@example.org', '!'),
              ('s-2', 'Sue', 'sue@example.org', '$scrypt$ln=40,r=8,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA')`,
    );
    for (const name of ["s-1", "s-2"]) {
      expect(await accounts.check({ kind: "student", name, password })).toBeUndefined();
    }
    expect(reports).toEqual([
      expect.stringContaining('student "s-1"'),
      expect.stringContaining("ln=40"),
    ]);
  });
});
