import { inspect } from "node:util";

import { expect, test } from "vitest";

import { memoryTokens } from "../../connectors/accounts/index.ts";
import { partsOf } from "./forge.ts";
import { identityAt, refusalOf, resigned, tokenStage, withMembers } from "./token-stage.ts";

test("a token says who it was issued to, until the session's end in whole seconds", async () => {
  const { tokens, clock } = await tokenStage();
  const identity = { ...identityAt(clock.nowMs()), expiresAtMs: clock.nowMs() + 60_999 };
  const verified = await tokens.verify(await tokens.issue(identity));
  expect(verified).toEqual({ ...identity, expiresAtMs: clock.nowMs() + 60_000 });
});

test("a token has three members in its header and eight claims", async () => {
  const { good, stored, clock } = await tokenStage();
  const { header, payload } = partsOf(good);
  expect(JSON.parse(header)).toEqual({ alg: "EdDSA", kid: stored.kid, typ: "JWT" });
  const now = clock.nowMs() / 1_000;
  expect(JSON.parse(payload)).toEqual({
    iss: "refold",
    aud: "refold",
    sub: "s-1",
    jti: "01a1fe99-184c-7f62-8503-843efff9bc60",
    role: "student",
    iat: now,
    nbf: now,
    exp: now + 900,
  });
});

test("the published keys have public parts alone", async () => {
  const { tokens, stored } = await tokenStage();
  const { x } = stored.privateJwk;
  expect(await tokens.publicKeys()).toEqual({
    keys: [{ kty: "OKP", crv: "Ed25519", x, kid: stored.kid, alg: "EdDSA", use: "sig" }],
  });
});

test("a token is over half a minute after its end, and not yet good that long before its begin", async () => {
  const { good, clock, refusal } = await tokenStage();
  clock.advance(900_000 + 29_000);
  expect(await refusal(good)).toBe("accepted");
  clock.advance(1_000);
  expect(await refusal(good)).toBe("expired");
});

test.each([
  [29, "accepted"],
  [31, "claims"],
] as const)("a token that begins %d s ahead of our clock is %s", async (seconds, verdict) => {
  const { good, key, refusal, clock } = await tokenStage();
  const at = clock.nowMs() / 1_000 + seconds;
  for (const times of [{ nbf: at, iat: at, exp: at + 60 }, { iat: at }, { nbf: at }]) {
    const token = resigned(key, good, ({ payload }) => ({ payload: withMembers(payload, times) }));
    expect(await refusal(token), inspect(times)).toBe(verdict);
  }
});

test("a token that would live longer than a session is refused", async () => {
  const { good, key, refusal, clock } = await tokenStage();
  const now = clock.nowMs() / 1_000;
  const lasting = (times: object) =>
    resigned(key, good, ({ payload }) => ({ payload: withMembers(payload, { ...times }) }));
  expect(await refusal(lasting({ exp: now + 900 }))).toBe("accepted");
  expect(await refusal(lasting({ exp: now + 901 }))).toBe("claims");
  expect(await refusal(lasting({ exp: now + 900, nbf: now - 60 }))).toBe("claims");
});

test("a session whose store's clock is ahead of ours gets a token all the same", async () => {
  const { tokens, clock } = await tokenStage();
  const ahead = identityAt(clock.nowMs() + 20_000);
  expect(await tokens.verify(await tokens.issue(ahead))).toEqual(ahead);
});

test("a refusal tells neither the token nor its claims", async () => {
  const { good, tokens, clock, stored } = await tokenStage();
  clock.advance(3_600_000);
  const error = await tokens.verify(good).catch((one: unknown) => one);
  const told = inspect(error, { depth: 10, showHidden: true });
  expect(told).toContain("expired");
  for (const secret of [good, "s-1", stored.privateJwk.d]) expect(told).not.toContain(secret);
});

test("tokens keep their keys to themselves, however they are looked at", async () => {
  const { tokens, stored } = await tokenStage();
  const told = inspect(tokens, { depth: 10, showHidden: true }) + JSON.stringify(tokens);
  expect(told).not.toContain(stored.privateJwk.d);
});

test("tokens of another installation, with keys of its own, are of an unknown key", async () => {
  const { tokens, clock } = await tokenStage();
  const elsewhere = memoryTokens({ clock });
  const token = await elsewhere.issue(identityAt(clock.nowMs()));
  expect(await refusalOf(tokens.verify(token))).toBe("key-unknown");
});
