import { scryptSync } from "node:crypto";

import { describe, expect, test } from "vitest";

import {
  assertFit,
  memoryAccounts,
  parsePhc,
  PasswordAccounts,
  Passwords,
  UnfitPassword,
  UnusablePasswordHash,
} from "../../connectors/accounts/index.ts";
import { TransientError } from "../../engine/errors.ts";

const cheap = { ln: 4, r: 8, p: 1 };
const passwords = new Passwords({ checksMax: 2, checksWaitingMax: 50, cost: cheap });

describe("a stored password", () => {
  test("is a PHC string of the default cost, with a salt of its own", async () => {
    const costly = new Passwords({ checksMax: 2, checksWaitingMax: 50 });
    const [one, other] = await Promise.all([costly.hash("a password"), costly.hash("a password")]);
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(other).not.toBe(one);
    expect(await costly.matches("a password", one)).toBe(true);
    expect(await costly.matches("a passworD", one)).toBe(false);
  });

  test("made elsewhere, with another cost, salt and length, is taken", async () => {
    const salt = Buffer.from("0123456789");
    const hash = scryptSync("caf\u00e9 au lait", salt, 64, { N: 2 ** 6, r: 4, p: 3 });
    const text = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
    const stored = `$scrypt$ln=6,r=4,p=3$${text(salt)}$${text(hash)}`;
    expect(await passwords.matches("caf\u00e9 au lait", stored)).toBe(true);
    expect(await passwords.matches("cafe\u0301 au lait", stored)).toBe(true);
    expect(await passwords.matches("cafe au lait", stored)).toBe(false);
  });

  test.each([
    "$scrypt$ln=18,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    "$scrypt$ln=17,r=9,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    "$scrypt$ln=17,r=8,p=2$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    "$scrypt$ln=99,r=99,p=99$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
  ])("of a cost above what is spent is refused by name: %s", (stored) => {
    expect(() => parsePhc(stored)).toThrow(UnusablePasswordHash);
    expect(() => parsePhc(stored)).toThrow(/its cost \(ln=\d+, r=\d+, p=\d+\) is above/);
  });

  test("of the highest cost is parsed", () => {
    const salts = "$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";
    expect(parsePhc(`$scrypt$ln=17,r=8,p=1${salts}`)).toMatchObject({ ln: 17, r: 8, p: 1 });
    expect(parsePhc(`$scrypt$ln=13,r=8,p=16${salts}`)).toMatchObject({ ln: 13, r: 8, p: 16 });
  });

  test.each([
    "",
    "!",
    "secret",
    "$2b$12$abcdefghijklmnopqrstuv",
    "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHQ$",
    "$scrypt$ln=15,r=8,p=1$$aGFzaGhhc2hoYXNoaGFzaA",
    "$scrypt$ln=0,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    "$scrypt$ln=-1,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    "$scrypt$ln=1e1,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    "$scrypt$ln=15,r=8,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
    "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHQ$aGFzaA",
    `$scrypt$ln=15,r=8,p=1$c2FsdHNhbHQ$${"a".repeat(100_000)}`,
  ])("that is no PHC string of scrypt is refused: %.60s", (stored) => {
    expect(() => parsePhc(stored)).toThrow(UnusablePasswordHash);
  });
});

describe("a check", () => {
  const stored = new Map<string, string>();
  const reports: string[] = [];
  const accountsWith = (limits: { checksMax: number; checksWaitingMax: number }) =>
    new PasswordAccounts({
      store: {
        find: ({ name }) => {
          const passwordHash = stored.get(name);
          return Promise.resolve(
            passwordHash === undefined ? undefined : { role: "student", passwordHash },
          );
        },
      },
      passwords: new Passwords({ ...limits, cost: cheap }),
      report: (message) => reports.push(message),
    });

  test("of an unknown account takes a hash as that of a known one does", async () => {
    stored.set("known", await passwords.hash("right password"));
    for (const name of ["known", "unknown"]) {
      const accounts = accountsWith({ checksMax: 1, checksWaitingMax: 0 });
      const ask = () => accounts.check({ kind: "student", name, password: "wrong password" });
      const [first, second] = await Promise.allSettled([ask(), ask()]);
      expect(first).toEqual({ status: "fulfilled", value: undefined });
      expect(second, name).toMatchObject({ status: "rejected", reason: { code: "sign-in-busy" } });
    }
  });

  test("of a row whose hash can't be used is a no, which the operator is told of", async () => {
    const absurd = "$scrypt$ln=30,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";
    stored.set("absurd", absurd);
    const accounts = accountsWith({ checksMax: 1, checksWaitingMax: 0 });
    const asked = { kind: "student", name: "absurd", password: "my own password" } as const;
    expect(await accounts.check(asked)).toBeUndefined();
    expect(reports.splice(0)).toEqual([expect.stringMatching(/student "absurd".*ln=30.*refold/)]);
  });

  test.each([
    ["nothing", ""],
    ["more than 1,000 bytes", "p".repeat(1_001)],
    ["more than 1,000 bytes in few characters", "\u{1F512}".repeat(251)],
  ])("of %s is a no without any work", async (_, password) => {
    const accounts = accountsWith({ checksMax: 1, checksWaitingMax: 0 });
    const ask = () => accounts.check({ kind: "student", name: "known", password });
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([undefined, undefined, undefined]);
  });

  test("goes on for as many as may wait, in their order, and no more", async () => {
    const accounts = await memoryAccounts({
      students: [{ id: "s-1", password: "right password" }],
      users: [{ name: "s-1", password: "other password", role: "operator" }],
      limits: { passwordChecksMax: 2, passwordChecksWaitingMax: 3 },
    });
    const right = { kind: "student", name: "s-1", password: "right password" } as const;
    const asked = Array.from({ length: 7 }, () => accounts.check(right));
    const settled = await Promise.allSettled(asked);
    const busy = settled.filter(({ status }) => status === "rejected");
    expect(busy).toHaveLength(2);
    for (const one of busy) expect(one).toMatchObject({ reason: expect.any(TransientError) });
    expect(await accounts.check(right)).toEqual({ subject: "s-1", role: "student" });
    expect(await accounts.check({ ...right, kind: "user" })).toBeUndefined();
    const user = { kind: "user", name: "s-1", password: "other password" } as const;
    expect(await accounts.check(user)).toEqual({ subject: "s-1", role: "operator" });
  });
});

describe("a password to be set", () => {
  test.each([
    "tr1cky-enough",
    "correct horse battery",
    "\u00fcberm\u00e4\u00dfig",
    "p4ssw0rt-mit-mehr",
  ])("may be %s", (password) => expect(() => assertFit(password, "maria")).not.toThrow());

  test.each([
    ["seven c", /8 to 200 characters/],
    ["x".repeat(201), /8 to 200 characters/],
    ["\u{1F512}\u{1F511}\u{1F510}\u{1F513}\u{1F4A1}\u{1F4A3}\u{1F4A5}", /this one has 7/],
    ["aaaaaaaaaaaa", /among the first/],
    ["Password", /among the first/],
    ["password2024!", /among the first/],
    ["12345678", /among the first/],
    ["87654321", /among the first/],
    ["qwertyuiop", /among the first/],
    ["maria-is-here", /account's name/],
    ["tabs\tand\tmore", /control characters/],
  ])("may not be %j", (password, why) => {
    expect(() => assertFit(password, "Maria")).toThrow(UnfitPassword);
    expect(() => assertFit(password, "Maria")).toThrow(why);
  });

  test("is counted as it is hashed: a composed character is one", () => {
    expect(() => assertFit("e\u0301e\u0301abcd", "x")).toThrow(/this one has 6/);
  });
});
