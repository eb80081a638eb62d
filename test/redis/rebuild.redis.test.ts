import { expect, onTestFinished, test } from "vitest";

import { serverOfTest } from "../support/own-postgres.ts";
import { startRedis } from "../support/redis-server.ts";
import { ask } from "../e2e/refold-instance.ts";
import { refold, RefoldProcess, until } from "../e2e/refold-process.ts";
import { makePool } from "../../connectors/postgres/index.ts";

test("a rebuild is proved in Redis too, and answers come from there after the swap", async () => {
  const server = await startRedis();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const databaseUrl = await serverOfTest();
  const environment = { DATABASE_URL: databaseUrl, REDIS_URL: server.url };
  const started = new RefoldProcess(["start", "--port", "0"], environment);
  onTestFinished(async () => {
    started.child.kill("SIGTERM");
    await started.ended;
  });
  const [, http = ""] = await started.printed(/listens on (http:\S+)/);
  const pool = makePool({ url: databaseUrl, name: "test" });
  onTestFinished(() => pool.end());
  await pool.query(
    `insert into catalogue.modules (code, title, capacity, fee_cents)
     select 'M-' || n, 'Module', 10, 0 from generate_series(1, 50) n`,
  );
  const seats = () => ask(`${http}/modules/M-50/availability`);
  await until(
    async () => ((await seats()).status === 200 ? true : undefined),
    30_000,
    () => "modules on offer",
  );
  const done = await refold(["rebuild", "seat-availability", "--yes"], environment);
  expect(done, done.out).toMatchObject({ code: 0 });
  expect(done.out).toContain("Redis: equal");
  const keys = () => server.with((redis) => redis.keys("refold:{seat-availability:g2:*}:*"));
  await until(
    async () => ((await keys()).length === 50 ? true : undefined),
    10_000,
    () => "all rows of the new generation in Redis",
  );
  const answered = async () => {
    await seats();
    const text = await (await fetch(`${http}/metrics`)).text();
    const found = /refold_redis_answers_total\{consumer="seat-availability"\} (\d+)/.exec(text);
    return Number(found?.[1] ?? 0);
  };
  const before = await answered();
  await until(
    async () => ((await answered()) > before + 5 ? true : undefined),
    10_000,
    () => "answers out of Redis",
  );
  expect((await seats()).body).toMatchObject({ moduleCode: "M-50", capacity: 10 });
});
