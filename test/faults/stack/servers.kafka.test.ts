import { setTimeout as delay } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { audit } from "../audit.ts";
import { during, untilAccepted, untilReady } from "../surge-on-instance.ts";
import { Surge } from "../surge.ts";
import { Roles } from "./roles.ts";
import type { ServerName } from "./servers-behind-proxies.ts";

const rounds = Number(process.env["REFOLD_ROUNDS"] ?? 1);
const downMs = 1_000;

let roles: Roles;
const surge = new Surge({ modules: 12, capacity: 40, clients: 16, restMs: 20 });

beforeAll(async () => {
  roles = await Roles.start();
  await Promise.all([roles.worker(), roles.worker()]);
  await surge.offer(roles.instance);
});

afterAll(() => roles?.[Symbol.asyncDispose]());

/** Each process outlives what happens to a server, and nothing is lost or doubled by it. */
function survives(what: string, happens: () => Promise<void>): void {
  test(
    `${what}, and nothing is lost or doubled`,
    async () => {
      for (let round = 0; round < rounds; round += 1) {
        await during(surge, roles.instance, async () => {
          await happens();
          await untilAccepted(surge, roles.instance);
        });
      }
      await untilReady(roles.instance);
      await audit(roles.instance, surge);
      expect(roles.running).toHaveLength(4);
    },
    120_000 + rounds * 20_000,
  );
}

async function isAway(server: ServerName): Promise<void> {
  const proxy = roles.servers.proxy(server);
  proxy.cut();
  await delay(downMs);
  proxy.restore();
}

survives("Redis is emptied", () =>
  roles.servers.redis.with(async (redis) => void (await redis.flushall())),
);

survives("Postgres loses its power and comes back", () => roles.servers.restartPostgres());

survives("the broker is killed and started again", async () => {
  await roles.servers.broker.kill();
  await roles.servers.broker.startAgain();
});

for (const server of ["Kafka", "Postgres", "Redis", "the registry"] as const) {
  survives(`the network to ${server} is cut and restored`, () => isAway(server));
}
