/**
 * Flushes of read models into Redis: rows per second of one writer, flushes of 2,000 and 10,000 rows on
 * 10 partitions, each partition in one script with its fence, digests and position. The stored rows,
 * digests and positions are compared with what was written before a figure is printed.
 *
 * A redis-server of its own is started from the path.
 */
import assert from "node:assert/strict";

import { RedisConnection, RedisReadModelStore } from "../connectors/redis/index.ts";
import { digestsOf } from "../engine/digest.ts";
import { MemoryReadModelStore } from "../engine/memory/read-model-store.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { columns, FlushWriter, modelOf, places } from "./_flush-writer.ts";

const flushes = 60;
const warmUpFlushes = 10;

await using server = await startRedis();
await using redis = new RedisConnection({ url: server.url, name: "benchmark" });
await redis.connectedWithin(5_000);
await bench(2_000, 2_000);
await bench(100_000, 10_000);

async function bench(keys: number, rowsPerFlush: number): Promise<void> {
  const store = new RedisReadModelStore({ redis, generations: new MemoryReadModelStore() });
  const generation = await store.open(modelOf(`flush-${keys}`));
  const claimed = await store.claim(generation, places);
  const writer = new FlushWriter(claimed, { keys, rowsPerFlush });
  let seconds = 0;
  for (let flush = 0; flush < warmUpFlushes + flushes; flush += 1) {
    const next = { generation, notices: [], deadLetters: [], ...writer.next() };
    const began = performance.now();
    await store.flush(next);
    if (flush >= warmUpFlushes) seconds += (performance.now() - began) / 1_000;
  }
  const stored = new Map<string, unknown>();
  for await (const page of store.scan(generation)) {
    for (const { key, row } of page) stored.set(key, row);
  }
  const rows = [...writer.rows].map(([key, row]) => ({ key, row }));
  assert.deepEqual(stored, new Map([...writer.rows].sort(([a], [b]) => (a < b ? -1 : 1))));
  assert.deepEqual(
    [...(await store.digests(generation))],
    [...digestsOf(columns, rows)].sort(([a], [b]) => a - b),
  );
  const positions = await store.positions(generation);
  assert.deepEqual(
    positions.map(({ position }) => position),
    writer.positions,
  );
  const rate = Math.round((flushes * rowsPerFlush) / seconds).toLocaleString("en");
  console.log(
    `${keys.toLocaleString("en")} keys: ${rate} rows/s in flushes of ` +
      `${rowsPerFlush.toLocaleString("en")}; rows, digests and positions checked`,
  );
}
