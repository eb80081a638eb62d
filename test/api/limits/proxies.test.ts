import { expect, test } from "vitest";

import type { ApiServer } from "../../../api/context.ts";
import type { TrustedProxies } from "../../../api/index.ts";
import { realClock } from "../real-clock.ts";
import { serverOfTest } from "../server.ts";

/**
 * A server on which each client has two requests, asked from 10.0.0.1 (a proxy, say). Time stands
 * still for them: nobody gets another one by waiting.
 */
async function limited(trustedProxies?: TrustedProxies) {
  const clock = { ...realClock, monotonicMs: () => 0 };
  const deps = trustedProxies === undefined ? { clock } : { clock, trustedProxies };
  const options = { clientRequestBurst: 2, clientRequestsPerSecond: 1 };
  const { app } = await serverOfTest({ options, deps });
  return { ask: asking(app) };
}

const asking =
  (app: ApiServer) =>
  async (forwarded: string, remoteAddress = "10.0.0.1"): Promise<number> => {
    const headers = { "x-forwarded-for": forwarded };
    return (await app.inject({ url: "/modules", remoteAddress, headers })).statusCode;
  };

test("without trust, whoever writes other addresses into the header stays one client", async () => {
  const { ask } = await limited();
  expect([await ask("1.1.1.1"), await ask("2.2.2.2"), await ask("3.3.3.3")]).toEqual([
    200, 200, 429,
  ]);
});

test.each([[1], [["10.0.0.0/8"]]])(
  "behind the proxies %j each client is one of its own",
  async (trusted) => {
    const { ask } = await limited(trusted);
    for (const _ of [1, 2]) expect(await ask("1.1.1.1")).toBe(200);
    expect(await ask("1.1.1.1")).toBe(429);
    expect(await ask("2.2.2.2")).toBe(200);
  },
);

test.each([[1], [["10.0.0.0/8"]]])(
  "behind the proxies %j what a client wrote itself before its proxy did is not believed",
  async (trusted) => {
    const { ask } = await limited(trusted);
    expect(await ask("7.7.7.7, 1.1.1.1")).toBe(200);
    expect(await ask("8.8.8.8, 1.1.1.1")).toBe(200);
    expect(await ask("9.9.9.9, 1.1.1.1")).toBe(429);
  },
);

test("one who comes around the named proxies is not believed", async () => {
  const { ask } = await limited(["10.0.0.1"]);
  for (const forwarded of ["1.1.1.1", "2.2.2.2"]) expect(await ask(forwarded, "5.5.5.5")).toBe(200);
  expect(await ask("3.3.3.3", "5.5.5.5")).toBe(429);
  expect(await ask("5.5.5.5")).toBe(429);
});

test("of two proxies in a row, the address is the one that the first has seen", async () => {
  const { ask } = await limited(2);
  for (const _ of [1, 2]) expect(await ask("7.7.7.7, 1.1.1.1, 10.0.0.2")).toBe(200);
  expect(await ask("8.8.8.8, 1.1.1.1, 10.0.0.3")).toBe(429);
  expect(await ask("8.8.8.8, 2.2.2.2, 10.0.0.3")).toBe(200);
});
