import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { Pool } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";

import { openAccounts, openTokens } from "../../connectors/accounts/index.ts";
import { systemClock } from "../../bin/system-clock.ts";
import { startInstance } from "../e2e/refold-instance.ts";
import { refold, temporaryFolder } from "../e2e/refold-process.ts";

/** Runs a command that reads its standard input. */
async function piped(args: readonly string[], input: string | Buffer) {
  const child = spawn(process.execPath, ["bin/refold.js", ...args], { stdio: "pipe" });
  // It may end before it has read all.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, out, err };
}

const report = () => undefined;

const isObject = expect.any(Object) as unknown;

/** An instance, its stores as the API has them, and commands beside it that answer in JSON. */
async function stage() {
  const folder = await temporaryFolder();
  const { database, http } = await startInstance(folder, ["--auth", "on"]);
  const pool = new Pool({ connectionString: database });
  onTestFinished(() => pool.end());
  const run = async (...args: readonly string[]) => {
    const { code, out, err } = await refold([...args, "--data", folder, "--json"]);
    return {
      code,
      err,
      out: out.startsWith("{") || out.startsWith("[") ? (JSON.parse(out) as unknown) : out,
    };
  };
  const tokens = () => openTokens({ pool, clock: systemClock, report });
  const registrations = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${http}/students/s-1/registrations`, { headers })).status;
  };
  return { folder, database, registrations, run, tokens, accounts: openAccounts({ pool, report }) };
}

describe("refold users, sessions and keys beside a running instance", () => {
  test("make accounts and sessions that hold for it, and end them", async () => {
    const { run, folder, database, accounts, tokens, registrations } = await stage();
    const [made, student] = await Promise.all([
      run("users", "add", "anna", "--role", "admin"),
      run("users", "add", "s-1", "--role", "student", "--name", "Sam"),
    ]);
    const { password = "" } = made.out as { readonly password?: string };
    expect(made).toEqual({ code: 0, err: "", out: { name: "anna", role: "admin", password } });
    expect(password).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
    expect(student).toMatchObject({ code: 0, out: { role: "student" } });
    const anna = { kind: "user", name: "anna" } as const;
    expect(await accounts.check({ ...anna, password })).toEqual({ subject: "anna", role: "admin" });

    const given = ["users", "password", "anna", "--password-stdin", "--database-url", database];
    expect(await piped(given, "a given password\n")).toMatchObject({ code: 0 });
    expect(await accounts.check({ ...anna, password })).toBeUndefined();
    expect(await accounts.check({ ...anna, password: "a given password" })).toBeDefined();

    const [again, unknown, list] = await Promise.all([
      run("users", "add", "anna", "--role", "viewer"),
      refold(["users", "remove", "nobody", "--data", folder]),
      run("users", "list"),
    ]);
    expect(again).toMatchObject({ code: 8, err: expect.stringContaining("refold users password") });
    expect(unknown).toMatchObject({ code: 9, err: expect.stringContaining("refold users list") });
    expect(list.out).toMatchObject([{ name: "anna", role: "admin" }]);
    expect(JSON.stringify(list.out)).not.toContain("scrypt");
    expect((await refold(["users", "remove", "anna", "--data", folder])).code).toBe(0);
    expect(await accounts.check({ ...anna, password: "a given password" })).toBeUndefined();

    const [one, other] = await Promise.all([
      refold(["sessions", "open", "s-1", "--data", folder]),
      run("sessions", "open", "s-2"),
    ]);
    const token = one.out.trim();
    expect(await tokens().verify(token)).toMatchObject({ subject: "s-1", role: "student" });
    expect(await registrations(token)).toBe(200);
    const { sessionId = "", token: others = "" } = other.out as Readonly<Record<string, string>>;
    expect(await registrations(others)).toBe(403);
    const noUser = await run("sessions", "open", "nobody", "--user");
    expect(noUser).toMatchObject({ code: 9, err: expect.stringContaining("no user nobody") });

    const rotated = await run("keys", "rotate");
    expect(rotated).toMatchObject({ code: 0, out: { kid: expect.any(String), others: "verify" } });
    const listed = await run("keys", "list");
    const { kid } = rotated.out as { readonly kid: string };
    expect(listed.out).toMatchObject([{ state: "verifies" }, { state: "signs", kid }]);
    expect(Object.keys((listed.out as object[])[0] ?? {})).not.toContain("privateJwk");
    expect(await tokens().verify(token)).toMatchObject({ subject: "s-1" });
    const renewed = (await refold(["sessions", "open", "s-1", "--data", folder])).out.trim();
    expect(await registrations(renewed)).toBe(200);

    expect(await run("sessions", "revoke", "--of", "s-1")).toMatchObject({ out: { revoked: 2 } });
    await expect.poll(() => registrations(token), { timeout: 10_000 }).toBe(401);
    expect(await run("sessions", "revoke", sessionId)).toMatchObject({ out: { revoked: 1 } });
    expect(await run("sessions", "revoke", sessionId)).toMatchObject({ out: { revoked: 0 } });
    expect(await run("sessions", "revoke", "unknown")).toMatchObject({ code: 9 });
    await expect
      .poll(async () => (await run("sessions", "list")).out, { timeout: 20_000 })
      .toEqual([]);
    expect(await run("keys", "rotate", "--withdraw")).toMatchObject({ code: 0, out: isObject });
    await expect(tokens().verify(token)).rejects.toMatchObject({ reason: "key-unknown" });
  });
});

describe("a command line that can't be", () => {
  test.each([
    [["users", "add", "anna"], /--role/],
    [["users", "add", "anna", "--role", "admin", "--email", "a@b.example"], /--role student/],
    [["sessions", "revoke", "a", "--of", "b"], /--of <name>/],
    [["api", "--host", "0.0.0.0", "--auth", "off"], /loopback only/],
  ])("is refused before anything is opened: %j", async (args, why) => {
    const { code, err, out } = await refold(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(why);
  });

  test.each([
    [Buffer.from([0xff, 0xfe, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41]), /no text in UTF-8/],
    ["x".repeat(1_000_000), /8 to 200 characters/],
  ])("neither has a password that can't be set: %.20s", async (input, why) => {
    const { code, out, err } = await piped(["users", "hash", "--password-stdin"], input);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(why);
  });
});
