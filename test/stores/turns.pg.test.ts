import { expect, test, vi } from "vitest";

import { PostgresGenerations, PostgresReadModelStore } from "../../connectors/postgres/index.ts";
import { twoGenerations } from "../conformance/generations-subject.ts";
import { places } from "../conformance/store-samples.ts";
import { storesDatabase } from "./postgres-stores.ts";

const listeners = `select pid from pg_stat_activity
  where application_name = 'refold turns listener' and datname = current_database()`;

test("turns go on through an outage of their connection, which is given back at their end", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const generations = new PostgresGenerations({ pool });
  const store = new PostgresReadModelStore({ pool });
  const { live } = await twoGenerations({ store, generations });
  const stop = new AbortController();
  const seen = new Set<bigint>();
  const follow = async () => {
    for await (const _ of generations.turns(stop.signal)) {
      for (const { id } of await generations.holds()) seen.add(id);
    }
  };
  const following = [follow(), follow()];
  const pids = async () => (await pool.query<{ pid: number }>(listeners)).rows;
  const soon = { timeout: 5_000, interval: 10 };
  await vi.waitFor(async () => expect(await pids()).toHaveLength(1), soon);
  const [before] = await pids();
  await pool.query("select pg_terminate_backend($1)", [before?.pid]);
  const hold = await generations.hold(live, 60_000);
  await vi.waitFor(() => expect(seen.has(hold)).toBe(true), soon);
  await vi.waitFor(async () => {
    const [after] = await pids();
    expect(after?.pid).toEqual(expect.any(Number));
    expect(after?.pid).not.toBe(before?.pid);
  }, soon);
  stop.abort();
  await Promise.all(following);
  await vi.waitFor(async () => expect(await pids()).toEqual([]), soon);
});

test("partitions that stand just as their hold is released fail nobody", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const generations = new PostgresGenerations({ pool });
  const store = new PostgresReadModelStore({ pool });
  const { live } = await twoGenerations({ store, generations });
  const owned = await store.claim(live, places(0, 1, 2, 3));
  for (let round = 0; round < 30; round += 1) {
    const hold = await generations.hold(live, 60_000);
    const stands = owned.map((one) => generations.stand(hold, [one]));
    await Promise.all([...stands, generations.release(hold)]);
    expect(await generations.standing(hold)).toEqual([]);
  }
});
