import { inspect } from "node:util";

import type { Pool } from "pg";
import { describe, expect, test } from "vitest";

import { openKeys, openTokens, PostgresKeyStore } from "../../connectors/accounts/index.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { keyAt, keyStoreSuite } from "../conformance/key-store.ts";
import { poolsOfTest } from "./database-of-accounts.ts";
import { identityAt, refusalOf } from "./token-stage.ts";

const oneOf = async (pools: Promise<readonly Pool[]>): Promise<Pool> => {
  const [pool] = await pools;
  if (pool === undefined) throw new Error("No pool was made.");
  return pool;
};

describe("keys in Postgres", () => {
  keyStoreSuite(async () => new PostgresKeyStore({ pool: await oneOf(poolsOfTest(1)) }));

  test("tell nothing of a private key when it can't be stored", async () => {
    const pool = await oneOf(poolsOfTest(1));
    await pool.query("alter table refold.signing_keys add check (kid = '')");
    const store = new PostgresKeyStore({ pool });
    const key = keyAt("first", Date.UTC(2026, 0, 1));
    const error = await store.change(async () => [key]).catch((one: unknown) => one);
    expect(error).toMatchObject({ code: "keys-not-stored" });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("secret-first");
  });
});

describe("instances on one database", () => {
  test("that start together make one key, with which all of them sign", async () => {
    const pools = await poolsOfTest(5);
    const clock = new ManualClock();
    const all = pools.map((pool) => openTokens({ pool, clock, report: () => undefined }));
    const identity = identityAt(clock.nowMs());
    const tokens = await Promise.all(
      all.flatMap((one) => [one.issue(identity), one.issue(identity)]),
    );
    for (const instance of all) {
      for (const token of tokens) expect(await instance.verify(token)).toEqual(identity);
      expect((await instance.publicKeys()).keys).toHaveLength(1);
    }
  });

  test("verify at once what another signs with a key that it has just made", async () => {
    const pools = await poolsOfTest(2);
    const clock = new ManualClock();
    const options = { clock, report: () => undefined };
    const [here, there] = pools.map((pool) => openTokens({ pool, ...options }));
    const [pool] = pools;
    if (!here || !there || !pool) throw new Error("Two instances were to be there.");
    const identity = identityAt(clock.nowMs());
    const before = await here.issue(identity);
    expect(await there.verify(before)).toEqual(identity);
    clock.advance(1_000);
    await openKeys({ pool, ...options }).rotate("verify");
    // The other looks for keys anew only after ten seconds: an unknown key alone makes it do so.
    const after = await openTokens({ pool, ...options }).issue(identity);
    expect(await there.verify(after)).toEqual(identity);
    expect(await there.verify(before)).toEqual(identity);
  });

  test("refuse tokens of a key that was withdrawn, within seconds", async () => {
    const pools = await poolsOfTest(2);
    const clock = new ManualClock();
    const options = { clock, report: () => undefined };
    const [pool, other] = pools;
    if (!pool || !other) throw new Error("Two pools were to be there.");
    const tokens = openTokens({ pool, ...options });
    const token = await tokens.issue(identityAt(clock.nowMs()));
    await openKeys({ pool: other, ...options }).rotate("withdrawn");
    clock.advance(10_000);
    await expect
      .poll(() => refusalOf(tokens.verify(token)), { timeout: 10_000 })
      .toBe("key-unknown");
  });
});
