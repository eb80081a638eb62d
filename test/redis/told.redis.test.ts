import { expect, onTestFinished, test } from "vitest";

import type { StatusReport } from "../../bin/status/report.ts";
import { ask } from "../e2e/refold-instance.ts";
import { refold, RefoldProcess, until } from "../e2e/refold-process.ts";
import { serverOfTest } from "../support/own-postgres.ts";
import { startRedis } from "../support/redis-server.ts";

interface Copy {
  readonly store: string;
  readonly projection: string;
  readonly state: string;
  readonly ageMs: number;
}

test("a Redis that is away, emptied or without workers is told by /readyz and status, and nobody is unready for it", async () => {
  const server = await startRedis();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const environment = { DATABASE_URL: await serverOfTest(), REDIS_URL: server.url };
  const process = new RefoldProcess(["start", "--port", "0"], environment);
  onTestFinished(async () => {
    process.child.kill("SIGKILL");
    await process.ended;
  });
  const [, url = ""] = await process.printed(/(http:\/\/127\.0\.0\.1:\d+)/);
  /** Each copy notices by itself: `degraded` is told from the first one on. */
  const readiness = async (wanted: "ready" | "degraded", state: string) => {
    let last: unknown;
    return until(
      async () => {
        const { status, body } = await ask(`${url}/readyz`);
        last = body;
        const copies = body["copies"] as readonly Copy[] | undefined;
        const is = copies?.every((copy) => copy.state === state);
        return status === 200 && body["status"] === wanted && is ? copies : undefined;
      },
      20_000,
      () => `/readyz ${wanted}, not ${JSON.stringify(last)}`,
    );
  };
  const status = async (): Promise<StatusReport> => {
    const { code, out, err } = await refold(["status", "--json"], environment);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    return JSON.parse(out) as StatusReport;
  };

  const copies = await readiness("ready", "current");
  expect(copies).toContainEqual(
    expect.objectContaining({ store: "redis", projection: "seat-availability", state: "current" }),
  );
  const current = (await status()).redis;
  expect(current?.fault).toBe(null);
  const seats = current?.projections.find(({ name }) => name === "seat-availability");
  expect(seats).toMatchObject({ state: "current", rowsWaiting: 0, partitions: [] });

  await server.kill();
  const away = await readiness("degraded", "behind");
  expect(away.filter(({ ageMs }) => ageMs === 0)).toEqual([]);
  expect((await status()).redis?.fault).toMatch(/can't be reached \(.*ECONNREFUSED/);

  const again = await startRedis({ folder: server.folder, port: server.port });
  onTestFinished(() => again[Symbol.asyncDispose]());
  await readiness("ready", "current");
  process.child.kill("SIGTERM");
  expect(await process.ended).toMatchObject({ code: 0 });
  await again.with(async (redis) => void (await redis.flushall()));
  const cold = (await status()).redis?.projections ?? [];
  expect(cold.map(({ state }) => state)).toEqual(cold.map(() => "behind"));
  expect(cold[0]?.partitions[0]).toMatchObject({ lagRecords: null, rowsWaiting: null });
  expect(cold[0]?.reason).toContain("no worker fills it");
});
