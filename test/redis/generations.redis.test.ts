import { expect, onTestFinished, test } from "vitest";

import {
  FollowedReadModelStore,
  RedisSecondStore,
  sweepRedis,
} from "../../connectors/redis/index.ts";
import { systemClock } from "../../bin/system-clock.ts";
import {
  PostgresGenerations,
  PostgresReadModelSnapshots,
} from "../../connectors/postgres/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { differences, followedOfTest, until } from "./followed.ts";
import { SeatWriter } from "./seat-writer.ts";

const all = [0, 1, 2, 3];

/** A serving generation that Redis follows, and a shadow that is being filled beside it. */
async function shadowOfTest() {
  const at = await followedOfTest();
  const live = await at.followed.open(at.model);
  const generations = new PostgresGenerations({ pool: at.pool });
  const filling = new FollowedReadModelStore({
    redis: at.redis,
    store: at.store,
    snapshots: new PostgresReadModelSnapshots({ pool: at.pool }),
    clock: systemClock,
    metrics: noMetrics,
    primary: at.primary,
    models: [at.model],
    follows: "when-asked",
    report: (message) => at.reports.push(message),
    checkMs: 20,
    retryMs: 50,
  });
  onTestFinished(() => filling[Symbol.asyncDispose]());
  const shadow = await generations.create(at.model, {}, 1n);
  const writer = new SeatWriter(filling, shadow);
  await writer.claim(...all);
  const second = new RedisSecondStore({
    redis: at.redis,
    store: at.store,
    models: [at.model],
    follow: (generation) => filling.follow(generation),
  });
  const compare = async () => {
    const positions = (await at.primary.positions(shadow)).flatMap(
      ({ topic, partition, position }) =>
        position ? [{ topic, partition, position, lastRecordedAtMs: undefined }] : [],
    );
    return second.compare(shadow, await at.primary.digests(shadow), positions);
  };
  const keys = (generation: number) =>
    at.redis.command("counting", (redis) =>
      redis.keys(`refold:{${at.model.projection}:g${generation}:*`),
    );
  return { ...at, live, generations, filling, shadow, writer, compare, keys };
}

test("a shadow comes to Redis in one piece, when it is compared there, and is followed from then on", async () => {
  const at = await shadowOfTest();
  for (let flush = 0; flush < 20; flush += 1) await at.writer.write(50);
  expect(await at.keys(at.shadow.generation)).toEqual([]);
  expect(at.filling.health()).toEqual([]);
  await until("Redis has the shadow", async () => (await at.compare()) === "equal");
  await at.writer.write(10);
  await until("Redis has what came after", async () => (await at.compare()) === "equal");
  expect(await differences(at, at.shadow)).toEqual([]);
});

test("digests that Redis keeps otherwise are told apart", async () => {
  const at = await shadowOfTest();
  await at.writer.write(50);
  await until("Redis has the shadow", async () => (await at.compare()) === "equal");
  const whole = (await at.keys(at.shadow.generation)).find((one) => one.endsWith("}")) ?? "";
  await at.redis.command("tampering", async (redis) => {
    const text = (await redis.hget(whole, "digests")) ?? "";
    const other = text.replace(/[1-9a-f]/, (digit) => (digit === "1" ? "2" : "1"));
    expect(other).not.toBe(text);
    await redis.hset(whole, "digests", other);
  });
  expect(await at.compare()).toBe("differs");
});

test("workers that claim a generation after a swap follow it, and the one before", async () => {
  const at = await shadowOfTest();
  await at.writer.write(50);
  const other = new SeatWriter(at.followed, at.live);
  await other.claim(...all);
  await other.write(50);
  const condition = "equal";
  const { projection } = at.model;
  const swap = { projection, from: at.live.generation, to: at.shadow.generation, condition };
  const verdict = await at.generations.swap({ ...swap, condition, keepMs: 60_000 });
  expect(verdict.outcome).toBe("swapped");
  const next = new SeatWriter(at.followed, at.shadow);
  await next.claim(...all);
  for (let flush = 0; flush < 5; flush += 1) {
    await next.write(20);
    await other.write(20);
  }
  await until("both are in Redis", async () => {
    const both = [at.live, at.shadow].map((generation) => differences(at, generation));
    const found = await Promise.all(both).catch(() => [["not yet"]]);
    return found.every((one) => one.length === 0);
  });
  await until("queries are answered by the generation that serves", async () => {
    const { generation } = await at.reader.get(projection, "M1-7");
    return generation === at.shadow.generation;
  });
});

test("keys of generations that go away are removed, and nobody brings them back", async () => {
  const at = await shadowOfTest();
  await at.writer.write(50);
  await until("Redis has the shadow", async () => (await at.compare()) === "equal");
  const other = new SeatWriter(at.followed, at.live);
  await other.claim(...all);
  await other.write(50);
  await until("Redis has what serves", async () => (await at.keys(at.live.generation)).length > 40);
  await at.redis.command("an orphan", (redis) =>
    redis.set(`refold:{${at.model.projection}:g77:p1}:K1`, "{}"),
  );
  await at.redis.command("a stranger", (redis) => redis.set("refold:{other:g1:p1}:K1", "{}"));
  await at.generations.retire(at.shadow);
  await at.filling.forget(at.shadow);
  const sweep = () =>
    sweepRedis({
      redis: at.redis,
      projections: [at.model.projection],
      list: () => at.generations.list(),
      keysPerStep: 10,
    });
  const before = (await at.keys(at.live.generation)).length;
  expect(await sweep()).toBeGreaterThan(40);
  expect(await at.keys(at.shadow.generation)).toEqual([]);
  expect(await at.keys(77)).toEqual([]);
  expect((await at.keys(at.live.generation)).length).toBe(before);
  expect(
    await at.redis.command("reading", (redis) => redis.exists("refold:{other:g1:p1}:K1")),
  ).toBe(1);
  expect(await sweep()).toBe(0);
});
