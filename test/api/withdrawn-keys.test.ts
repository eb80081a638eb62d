import { expect, it } from "vitest";

import { KeyRing, MemoryKeyStore } from "../../connectors/accounts/index.ts";
import { guardedServer, sessionOf } from "./access-of-test.ts";
import { realClock } from "./real-clock.ts";

const dayMs = 86_400_000;
const policy = { keyMs: 30 * dayMs, overlapMs: dayMs, tokenMs: 960_000 };

/** A server that has verified a viewer's token, and an operator beside it who withdraws keys. */
async function withdrawalStage() {
  const keyStore = new MemoryKeyStore();
  let aheadMs = 0;
  const clock = { ...realClock, monotonicMs: () => realClock.monotonicMs() + aheadMs };
  const server = await guardedServer({ keyStore, clock });
  const { headers } = await sessionOf(server, "viewer");
  const ask = async () => {
    const { statusCode, body } = await server.app.inject({ url: "/admin/rebuilds", headers });
    return statusCode === 200 ? "let in" : (JSON.parse(body) as { code: string }).code;
  };
  expect([await ask(), await ask(), await ask()]).toEqual(["let in", "let in", "let in"]);
  const keys = new KeyRing({ store: keyStore, clock, policy, report: () => undefined });
  await keys.rotate("withdrawn");
  return { ask, pass: (ms: number) => (aheadMs += ms) };
}

it("a busy server refuses a known token within ten seconds of its key's withdrawal", async () => {
  const { ask, pass } = await withdrawalStage();
  pass(4_000);
  expect(await ask()).toBe("let in");
  pass(4_000);
  await expect.poll(ask, { timeout: 1_500 }).toBe("token-invalid");
});

it("a server that nobody has asked for ten seconds refuses such a token at once", async () => {
  const { ask, pass } = await withdrawalStage();
  pass(10_000);
  expect(await ask()).toBe("token-invalid");
});
