import { copyFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { RedisConnection } from "../../connectors/redis/index.ts";
import { startRedis } from "../support/redis-server.ts";
import {
  differences,
  type Followed,
  followedOfTest,
  openFollowed,
  serversOfTest,
  until,
} from "./followed.ts";
import { SeatWriter } from "./seat-writer.ts";

const all = [0, 1, 2, 3];

async function writerOn(
  at: Pick<Followed, "followed"> & { model: Parameters<Followed["followed"]["open"]>[0] },
) {
  const generation = await at.followed.open(at.model);
  const writer = new SeatWriter(at.followed, generation);
  await writer.claim(...all);
  return { generation, writer };
}

type Writing = Awaited<ReturnType<typeof writerOn>>;

async function expectEqual(
  at: Pick<Followed, "store" | "primary" | "reports">,
  { generation }: Writing,
): Promise<void> {
  let last: readonly unknown[] = [];
  const equal = async (): Promise<boolean> => {
    last = await differences(at, generation).catch((error: unknown) => [error]);
    return last.length === 0;
  };
  await until("Redis has what Postgres has", equal).catch(() => undefined);
  expect(last, at.reports.join("\n")).toEqual([]);
}

/** Flushes while something happens, and reads meanwhile: no answer goes back or is missing. */
async function underLoad(
  at: Pick<Followed, "reader"> & Writing,
  happens: () => Promise<void>,
): Promise<void> {
  const load = { running: true, flushes: 0, answers: 0 };
  const { projection } = at.generation;
  const reading = (async () => {
    let lastOffset = -1n;
    while (load.running) {
      const { positions } = await at.reader.get(projection, "M0-7");
      const offset = positions.find(({ partition }) => partition === 0)?.position.nextOffset ?? -1n;
      expect(offset).toBeGreaterThanOrEqual(lastOffset);
      lastOffset = offset;
      load.answers += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const writing = (async () => {
    for (; load.running; load.flushes += 1) await at.writer.write(20);
  })();
  for (const work of [reading, writing]) work.catch(() => undefined);
  await happens();
  const { flushes, answers } = load;
  const goesOn = async () => load.flushes > flushes && load.answers > answers;
  await until("more is written and read", goesOn).finally(() => (load.running = false));
  await Promise.all([reading, writing]);
}

test("rows, digests and positions are brought to Redis after each commit", async () => {
  const at = await followedOfTest();
  const writing = await writerOn(at);
  for (let flush = 0; flush < 30; flush += 1) await writing.writer.write(25);
  await expectEqual(at, writing);
  await until("queries are answered from Redis", async () => {
    await at.reader.get(at.model.projection, "M1-7");
    return (await at.metrics.text()).includes("refold_redis_answers_total{");
  });
  expect(await at.reader.get(at.model.projection, "M1-7")).toEqual(
    await at.redisReader.get(at.model.projection, "M1-7"),
  );
});

test("Redis emptied under load is filled from Postgres, and no answer goes back", async () => {
  const at = await followedOfTest();
  const writing = await writerOn(at);
  await writing.writer.write(200);
  await expectEqual(at, writing);
  await underLoad({ ...at, ...writing }, async () => {
    for (let round = 0; round < 3; round += 1) {
      await at.server.with((redis) => redis.flushall());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  await expectEqual(at, writing);
});

test("Redis emptied while nothing is written is noticed and filled", async () => {
  const at = await followedOfTest();
  const writing = await writerOn(at);
  await writing.writer.write(100);
  await expectEqual(at, writing);
  await at.server.with((redis) => redis.flushall());
  await expectEqual(at, writing);
  expect((await at.redisReader.get(at.model.projection, "M0-7")).result).toBeDefined();
});

test("a cold Redis tells nothing, and Postgres answers", async () => {
  const at = await followedOfTest();
  const writing = await writerOn(at);
  await writing.writer.write(100);
  await expectEqual(at, writing);
  await until("the pointer is read", async () => at.standing.lagMs(at.model.projection) < 5_000);
  await at.followed[Symbol.asyncDispose]();
  await at.server.with((redis) => redis.flushall());
  const reading = at.redisReader.get(at.model.projection, "M0-7");
  await expect(reading).rejects.toMatchObject({ code: "cold" });
  expect((await at.reader.get(at.model.projection, "M0-7")).result).toBeDefined();
});

test("Redis restarted without its rows is filled", async () => {
  const at = await followedOfTest();
  const writing = await writerOn(at);
  await writing.writer.write(100);
  await expectEqual(at, writing);
  await underLoad({ ...at, ...writing }, async () => {
    await at.server.kill();
    const { folder, port } = at.server;
    const again = await startRedis({ folder, port });
    onTestFinished(() => again[Symbol.asyncDispose]());
  });
  await expectEqual(at, writing);
});

test("a failover to an older copy is noticed and mended", async () => {
  const at = await followedOfTest();
  const writing = await writerOn(at);
  await writing.writer.write(60);
  await expectEqual(at, writing);
  await at.server.with((redis) => redis.save());
  const folder = await mkdtemp(join(tmpdir(), "refold-redis-"));
  await copyFile(join(at.server.folder, "dump.rdb"), join(folder, "dump.rdb"));
  for (let flush = 0; flush < 10; flush += 1) await writing.writer.write(15);
  await expectEqual(at, writing);
  await underLoad({ ...at, ...writing }, async () => {
    await at.server.kill();
    const older = await startRedis({ folder, port: at.server.port });
    onTestFinished(() => older[Symbol.asyncDispose]());
  });
  await expectEqual(at, writing);
});

test("connections that are killed lose and double nothing", async () => {
  const at = await followedOfTest();
  const writing = await writerOn(at);
  await underLoad({ ...at, ...writing }, async () => {
    for (let round = 0; round < 10; round += 1) {
      await at.server.with((redis) => redis.call("CLIENT", "KILL", "TYPE", "normal"));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });
  await expectEqual(at, writing);
});

test("a paused Redis holds neither commits nor answers up", async () => {
  const deadlineMs = 1_500;
  const at = await followedOfTest({ deadlineMs });
  const writing = await writerOn(at);
  await writing.writer.write(100);
  await expectEqual(at, writing);
  at.server.signal("SIGSTOP");
  const begunMs = performance.now();
  await writing.writer.write(10);
  const committedMs = performance.now() - begunMs;
  const { result } = await at.reader.get(at.model.projection, "M0-7");
  const answeredMs = performance.now() - begunMs - committedMs;
  expect(result).toBeDefined();
  expect(committedMs).toBeLessThan(deadlineMs);
  // The deadline of one call, and Postgres' answer.
  expect(answeredMs).toBeLessThan(2 * deadlineMs);
  at.server.signal("SIGCONT");
  await expectEqual(at, writing);
});

test("what died between its commit and Redis is made up for by the next owner", async () => {
  const servers = await serversOfTest();
  const first = await openFollowed(servers);
  const writing = await writerOn({ ...first, ...servers });
  await writing.writer.write(50);
  await expectEqual(first, writing);
  await first[Symbol.asyncDispose]();
  // A process that dies right after its commit.
  const { pool, ...dying } = await openFollowed(servers);
  const orphan = new SeatWriter(dying.primary, writing.generation);
  await orphan.claim(...all);
  await orphan.write(7);
  await dying[Symbol.asyncDispose]();
  expect(pool.ended).toBe(true);
  const next = await openFollowed(servers);
  onTestFinished(() => next[Symbol.asyncDispose]());
  const after = await writerOn({ ...next, ...servers });
  await expectEqual(next, after);
  await after.writer.write(20);
  await expectEqual(next, after);
});

test("two workers that take partitions from each other end with one copy", async () => {
  const servers = await serversOfTest();
  const one = await openFollowed(servers);
  const other = await openFollowed(servers);
  onTestFinished(() => one[Symbol.asyncDispose]());
  onTestFinished(() => other[Symbol.asyncDispose]());
  const writings = [
    await writerOn({ ...one, ...servers }),
    await writerOn({ ...other, ...servers }),
  ] as const;
  for (let round = 0; round < 12; round += 1) {
    const { writer } = writings[round % 2 === 0 ? 0 : 1];
    await writer.claim(...all);
    await writer.write(10);
    if (round % 3 === 0) await writer.write(5);
  }
  await expectEqual(one, writings[0]);
});

test("an evicting policy is refused by its name", async () => {
  for (const policy of ["allkeys-lru", "volatile-ttl"]) {
    const server = await startRedis({ settings: { "maxmemory-policy": policy } });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const redis = new RedisConnection({ url: server.url, name: "test" });
    onTestFinished(() => redis[Symbol.asyncDispose]());
    await redis.connectedWithin(5_000);
    await expect(redis.assertKeepsKeys()).rejects.toThrow(`maxmemory-policy ${policy}`);
  }
});

test("a call has a deadline, and fails at once while there is no connection", async () => {
  const server = await startRedis();
  onTestFinished(() => server[Symbol.asyncDispose]());
  // Far above what a busy machine makes of "at once".
  const deadlineMs = 2_000;
  const redis = new RedisConnection({ url: server.url, name: "test", deadlineMs });
  onTestFinished(() => redis[Symbol.asyncDispose]());
  await redis.connectedWithin(5_000);
  server.signal("SIGSTOP");
  const began = performance.now();
  const pinging = redis.command("Testing", (commands) => commands.ping());
  await expect(pinging).rejects.toMatchObject({ code: "redis-unavailable" });
  expect(performance.now() - began).toBeLessThan(2 * deadlineMs);
  const again = performance.now();
  await expect(redis.command("Testing", (commands) => commands.ping())).rejects.toThrow(
    "no connection",
  );
  expect(performance.now() - again).toBeLessThan(deadlineMs / 2);
  server.signal("SIGCONT");
  expect(await redis.connectedWithin(5_000)).toBe(true);
});
