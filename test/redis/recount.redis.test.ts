import { expect, test } from "vitest";

import { indexKey, partitionKey, rowKey } from "../../connectors/redis/keys.ts";
import { recountRedis } from "../../connectors/redis/recount.ts";
import { DigestDeltas } from "../../engine/digest.ts";
import { seatColumns } from "../conformance/store-samples.ts";
import { differences, followedOfTest, partitionCount, until } from "./followed.ts";
import { SeatWriter } from "./seat-writer.ts";

/** A generation that Redis has whole, with its writer. */
async function wholeInRedis() {
  const at = await followedOfTest();
  const generation = await at.followed.open(at.model);
  const writer = new SeatWriter(at.followed, generation);
  await writer.claim(0, 1, 2, 3);
  for (let flush = 0; flush < 10; flush += 1) await writer.write(40);
  await until("Redis has all", async () => (await differences(at, generation)).length === 0);
  const recount = (over: { readonly rowsPerStep?: number } = {}) =>
    recountRedis({
      redis: at.redis,
      generation,
      columns: seatColumns,
      partitions: partitionCount,
      rowsPerStep: 7,
      ...over,
    });
  /** A partition that has rows, and the first of its keys. */
  const listed = async () => {
    for (let partition = 0; partition < partitionCount; partition += 1) {
      const tag = partitionKey(generation, partition);
      const [key] = await at.redis.command("test", (redis) =>
        redis.zrange(indexKey(tag), "0", "0"),
      );
      if (key !== undefined) return { tag, key, row: rowKey(tag, key) };
    }
    throw new Error("There are no rows.");
  };
  return { ...at, generation, writer, recount, listed };
}

test("rows that were written by flushes alone give the digests that are kept with them", async () => {
  const at = await wholeInRedis();
  expect(await at.recount()).toBe("equal");
  expect(await at.recount({ rowsPerStep: 10_000 })).toBe("equal");
});

test("a writer at work makes no difference", async () => {
  const at = await wholeInRedis();
  const ending = new AbortController();
  const written = (async () => {
    while (!ending.signal.aborted) await at.writer.write(5);
  })();
  const found = new Set<string>();
  for (let count = 0; count < 20; count += 1) found.add(await at.recount());
  ending.abort();
  await written;
  expect(found).not.toContain("differs");
  expect(await at.recount()).toBe("equal");
});

const plants: readonly (readonly [string, readonly (readonly string[])[]])[] = [
  ["changed", [["set", "$row", '{"code":"X"}']]],
  ["made unreadable", [["set", "$row", "{"]]],
  [
    "made a hash",
    [
      ["del", "$row"],
      ["hset", "$row", "code", "X"],
    ],
  ],
  ["removed, and listed still", [["del", "$row"]]],
  ["removed from its list alone", [["zrem", "$index", "$key"]]],
  [
    "added, and listed",
    [
      ["set", "$tag:NEW", "{}"],
      ["zadd", "$index", "0", "NEW"],
    ],
  ],
  ["added, and not listed", [["set", "$tag:NEW", "{}"]]],
];

test.each(plants)("a row that was %s by hand is told", async (_, commands) => {
  const at = await wholeInRedis();
  const { tag, key, row } = await at.listed();
  const names: Readonly<Record<string, string>> = { row, key, tag, index: indexKey(tag) };
  const filled = (text: string): string =>
    text.replace(/\$(\w+)/, (_all, name: string) => names[name] ?? "");
  for (const [command = "", ...args] of commands) {
    await at.redis.command("test", (redis) => redis.call(command, args.map(filled)));
  }
  expect(await at.recount()).toBe("differs");
});

test("a row that is mended in Postgres leaves Redis with its digests, whatever it had of it", async () => {
  const at = await wholeInRedis();
  const { generation } = at;
  const { tag, key } = await at.listed();
  const partition = Number(/p(\d+)\}$/.exec(tag)?.[1]);
  const right = (await at.primary.load(generation, [key])).get(key) ?? {};
  const planted = { ...right, held: 4711 };
  const { projection, generation: number } = generation;
  await at.pool.query(`update read."${projection}__g${number}" set held = 4711 where key = $1`, [
    key,
  ]);
  const deltas = new DigestDeltas(seatColumns);
  deltas.change(key, planted, right);
  const [delta] = deltas.take();
  if (delta === undefined) throw new Error("There is no difference.");
  const correction = { ...delta, hash: BigInt.asUintN(64, -delta.hash), correction: true } as const;
  const advances = at.writer.standing(partition);
  const rows = [{ key, partition, row: right, isUpdate: true }];
  const digests = [delta, correction];
  await at.followed.flush({ generation, advances, rows, digests, notices: [], deadLetters: [] });
  // Redis had the right row before: what tells that the flush has arrived is that all is whole again.
  await until("the partition is filled", async () => (await at.recount()) !== "behind");
  expect(await at.recount()).toBe("equal");
  expect(await differences(at, generation)).toEqual([]);
});

test("of a partition that isn't whole nothing is told", async () => {
  const at = await wholeInRedis();
  const { tag } = await at.listed();
  await at.redis.command("test", (redis) => redis.hdel(tag, "whole"));
  expect(await at.recount()).toBe("behind");
});
