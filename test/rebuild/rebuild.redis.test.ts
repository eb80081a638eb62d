import { expect, onTestFinished, test } from "vitest";

import { foldAll } from "../../engine/testing/given.ts";
import { sweep } from "../../engine/rebuild/sweep.ts";
import { rebuildEnvironment } from "../../bin/system/rebuilds.ts";
import { type Metrics, noMetrics } from "../../engine/ports/metrics.ts";
import { realClock, until } from "../engine/process.ts";
import { board, history } from "../engine/seats.ts";
import { beside } from "../support/beside.ts";
import { startRedis } from "../support/redis-server.ts";
import { conduct, openStage, rowsWhenCaughtUp, start, work } from "./system-stage.ts";

const numbers = Array.from({ length: 400 }, (_, at) => (at * 7919) % 1009);
const keptThere = { ...board, stores: ["redis"] } as typeof board;

/** A system with a Redis of its own, which has all that Postgres has. */
async function staged() {
  const server = await startRedis();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const counted = new Map<string, number>();
  const count = (name: string): void => void counted.set(name, (counted.get(name) ?? 0) + 1);
  const metrics: Metrics = { ...noMetrics, count };
  const servers = { redisUrl: server.url };
  const system = await openStage({ servers, projection: keptThere, metrics });
  await system.append(history(numbers));
  await work(system);
  const keysOf = (generation: number): Promise<string[]> =>
    server.with((redis) => redis.keys(`refold:{board:g${generation}:*`));
  /** Rows by the names of their keys in Redis. */
  const rowNames = async (generation: number) =>
    (await keysOf(generation)).filter((name) => name.includes("}:"));
  const redisAnswers = (): number => counted.get("redis_answers_total") ?? 0;
  const stage = { ...system, server, keysOf, rowNames, redisAnswers };
  const rows = await rowsWhenCaughtUp(stage, 1);
  await until("Redis has all", async () => (await rowNames(1)).length === rows.size, 10_000);
  return stage;
}

type RedisStage = Awaited<ReturnType<typeof staged>>;

/** Appends until it is ended. */
function traffic({ append }: RedisStage): () => Promise<void> {
  return beside(async (ended) => {
    for (let at = 0; !ended.aborted; at += 1) {
      await append(history(numbers.slice(at % 300, (at % 300) + 5)));
      await realClock.sleep(10);
    }
  });
}

/** Lists all rows again and again until it is ended; gives what was wrong with the answers. */
function reading({ stores, redisAnswers }: RedisStage, kindOf: (size: number) => string) {
  const seen = { generations: new Set<number>(), kinds: new Set<string>(), faults: [] as string[] };
  const before = redisAnswers();
  const last = new Map<string, bigint>();
  return beside(async (ended) => {
    while (!ended.aborted) {
      const { result, generation, positions } = await stores.reader.find("board", { limit: 100 });
      seen.generations.add(generation);
      const kinds = new Set(result.rows.map(({ row }) => kindOf(Number(row["size"]))));
      if (kinds.size > 1) seen.faults.push(`a mix in generation ${generation}`);
      for (const kind of kinds) seen.kinds.add(`${kind} in ${generation}`);
      for (const { partition, position } of positions) {
        const told = last.get(String(partition)) ?? 0n;
        if (position.nextOffset < told) seen.faults.push(`partition ${partition} went back`);
        last.set(String(partition), position.nextOffset);
      }
    }
    return { ...seen, fromRedis: redisAnswers() - before };
  });
}

test("one pointer decides for both stores: readers go from one generation to the other and back, whole", async () => {
  const stage = await staged();
  // Rows of the first generation are told apart by their sizes, in both stores.
  await stage.stores.pool.query(`update read."board__g1" set size = size + 100000`);
  await stage.server.with(async (redis) => {
    for (const name of await stage.rowNames(1)) {
      const row = JSON.parse((await redis.get(name)) ?? "{}") as { size: number };
      await redis.set(name, JSON.stringify({ ...row, size: row.size + 100_000 }));
    }
  });
  const endReading = reading(stage, (size) => (size >= 100_000 ? "planted" : "folded"));
  const swapped = await conduct(stage, await start(stage, { accept: true }));
  expect(swapped).toMatchObject({ state: "swapped", failure: undefined });
  await until("Redis answers", async () => {
    const { generation } = await stage.stores.reader.find("board", { limit: 1 });
    return generation === 2;
  });
  await stage.stores.rebuilds.wish(swapped.id, "undo");
  expect(await conduct(stage, swapped.id)).toMatchObject({ state: "undone" });
  const { fromRedis, generations, kinds, faults } = await endReading();
  expect(faults).toEqual([]);
  expect(fromRedis).toBeGreaterThan(20);
  expect([...generations]).toEqual([1, 2]);
  expect([...kinds]).toEqual(["planted in 1", "folded in 2"]);
});

test("a shadow comes to Redis for its proof, is followed there under live writes, and goes with its generation", async () => {
  const stage = await staged();
  const endTraffic = traffic(stage);
  const endReading = reading(stage, () => "row");
  const record = await conduct(stage, await start(stage));
  expect(record).toMatchObject({ state: "swapped", proof: { redis: "equal", recount: "equal" } });
  await stage.stores.rebuilds.wish(record.id, "undo");
  expect(await conduct(stage, record.id)).toMatchObject({ state: "undone" });
  await endTraffic();
  expect((await endReading()).faults).toEqual([]);
  const rows = await rowsWhenCaughtUp(stage, 1);
  expect(rows).toEqual(foldAll(board, stage.events));
  await until("Redis has all", async () => (await stage.rowNames(1)).length === rows.size);
  const { signal } = new AbortController();
  const { stores } = stage;
  await sweep(rebuildEnvironment({ stores, metrics: noMetrics, differencesFolder: "" }), signal);
  await stores.sweep();
  expect(await stage.keysOf(2)).toEqual([]);
  expect((await stage.rowNames(1)).length).toBe(rows.size);
});

test("a row that was changed in Redis alone keeps a rebuild from being swapped in, until that is accepted", async () => {
  const stage = await staged();
  const [name = ""] = await stage.rowNames(1);
  await stage.server.with((redis) =>
    redis.set(name, '{"code":"x","size":1,"held":4711,"moves":0}'),
  );
  const id = await start(stage);
  const conducting = conduct(stage, id);
  const proof = async () => (await stage.stores.rebuilds.find(id))?.proof;
  await until("it is proved", async () => (await proof()) !== undefined, 10_000);
  expect(await proof()).toMatchObject({ redis: "differs", changed: 0, added: 0, removed: 0 });
  const waiting = async () => (await stage.stores.rebuilds.find(id))?.progress?.waiting;
  await until("it waits", async () => (await waiting())?.includes("when accepted") === true);
  expect(await stage.stores.rebuilds.find(id)).toMatchObject({ state: "proved" });
  await stage.stores.rebuilds.wish(id, "run", { accept: true });
  expect(await conducting).toMatchObject({ state: "swapped" });
  const rows = await rowsWhenCaughtUp(stage, 2);
  const [code = ""] = /[^:]*$/.exec(name) ?? [];
  await until("both stores tell the same", async () => {
    const { result, generation } = await stage.stores.reader.get("board", code);
    return generation === 2 && result?.["held"] === rows.get(code)?.["held"];
  });
});

test("a Redis that is emptied, or away, is told as behind; it comes back with what serves then", async () => {
  const stage = await staged();
  await stage.server.kill();
  const record = await conduct(stage, await start(stage));
  expect(record).toMatchObject({ state: "swapped", proof: { redis: "behind", changed: 0 } });
  const { port } = stage.server;
  const again = await startRedis({ port });
  onTestFinished(() => again[Symbol.asyncDispose]());
  const rows = await rowsWhenCaughtUp(stage, 2);
  const names = () =>
    again.with((redis) => redis.keys("refold:{board:g2:*}:*")).then((found) => found.length);
  await until("Redis has what serves", async () => (await names()) === rows.size, 20_000);
  await again.with((redis) => redis.flushall());
  const next = await conduct(stage, await start(stage));
  expect(next).toMatchObject({ state: "swapped" });
  expect(["equal", "behind"]).toContain(next.proof?.redis);
  expect(await rowsWhenCaughtUp(stage, 3)).toEqual(foldAll(board, stage.events));
});
