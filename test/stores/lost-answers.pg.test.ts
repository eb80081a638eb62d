import { expect, test } from "vitest";

import { makePool } from "../../connectors/postgres/pool.ts";
import { PostgresProcessorStore } from "../../connectors/postgres/processor-store/index.ts";
import { PostgresReadModelStore } from "../../connectors/postgres/read-model-store/index.ts";
import { commit, inTransaction } from "../../connectors/postgres/transaction.ts";
import { flushOf } from "../conformance/read-model-subject.ts";
import {
  advance,
  at,
  deadLetter,
  laneAt,
  places,
  readModel,
} from "../conformance/store-samples.ts";
import { cuttingProxy } from "./cutting-proxy.ts";
import { storesDatabase } from "./postgres-stores.ts";

const row = { key: "M1", partition: 0, row: { moduleCode: "M1", held: 1 } };

/** A store whose connection can be cut, and one beside it that can't. */
async function stores() {
  const resources = new AsyncDisposableStack();
  const database = resources.use(await storesDatabase());
  const proxy = resources.use(await cuttingProxy(database.url));
  const pool = makePool({ url: proxy.url, name: "cut", connectionsMax: 1 });
  resources.defer(() => pool.end());
  const store = new PostgresReadModelStore({ pool });
  const generation = await store.open(readModel());
  const owned = at(await store.claim(generation, places(0)), 0);
  const beside = new PostgresReadModelStore({ pool: database.pool });
  return {
    database,
    proxy,
    pool,
    store,
    generation,
    owned,
    beside,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test("a flush in one statement whose answer is lost has an unknown outcome: a claim tells", async () => {
  await using all = await stores();
  const { store, generation, owned, proxy } = all;
  const flush = flushOf(generation, { advances: [advance(owned, laneAt(1))], rows: [row] });
  proxy.loseAnswerTo("refold_");
  await expect(store.flush(flush)).rejects.toMatchObject({ code: "outcome-unknown" });
  // It was done: the store stands where the flush ends, and the same flush is fenced.
  const again = at(await store.claim(generation, places(0)), 0);
  expect(again.position).toEqual(laneAt(1));
  expect((await store.load(generation, ["M1"])).get("M1")).toEqual(row.row);
  await expect(store.flush(flush)).rejects.toMatchObject({ code: "fenced", partitions: [0] });
});

test("a flush whose answer to the commit is lost has an unknown outcome: it was done", async () => {
  await using all = await stores();
  const { store, generation, owned, proxy } = all;
  proxy.loseAnswerTo("commit");
  const flushing = store.flush(
    flushOf(generation, {
      advances: [advance(owned, laneAt(1))],
      rows: [row],
      deadLetters: [deadLetter(generation.projection)],
    }),
  );
  await expect(flushing).rejects.toMatchObject({ code: "outcome-unknown" });
  expect(at(await store.positions(generation), 0).position).toEqual(laneAt(1));
});

test("a backend that dies at the commit leaves the outcome unknown: nothing was done", async () => {
  await using all = await stores();
  const { store, generation, owned, database } = all;
  await database.pool.query(`
    create function die() returns trigger language plpgsql as
      $$begin perform pg_terminate_backend(pg_backend_pid()); return null; end$$;
    create constraint trigger die after update on refold.positions
      deferrable initially deferred for each row when (new.next_offset = 1) execute function die()`);
  const flush = flushOf(generation, {
    advances: [advance(owned, laneAt(1))],
    rows: [row],
    deadLetters: [deadLetter(generation.projection)],
  });
  await expect(store.flush(flush)).rejects.toMatchObject({ code: "outcome-unknown" });
  const again = at(await store.claim(generation, places(0)), 0);
  expect(again.position).toBeUndefined();
  expect((await store.load(generation, ["M1"])).size).toBe(0);
  await database.pool.query("drop trigger die on refold.positions");
  await store.flush({ ...flush, advances: [advance(again, laneAt(1))] });
  expect((await store.load(generation, ["M1"])).size).toBe(1);
});

test("a connection that is lost before the commit is a clean no", async () => {
  await using all = await stores();
  const { store, beside, generation, owned, proxy } = all;
  const flush = flushOf(generation, {
    advances: [advance(owned, laneAt(1))],
    rows: [row],
    deadLetters: [deadLetter(generation.projection)],
  });
  proxy.loseAnswerTo("insert into refold.dead_letters");
  await expect(store.flush(flush)).rejects.toMatchObject({ code: "database-unavailable" });
  expect((await beside.load(generation, ["M1"])).size).toBe(0);
  await store.flush(flush);
  expect((await beside.load(generation, ["M1"])).size).toBe(1);
});

test("a processor's flush whose answer to the commit is lost has an unknown outcome", async () => {
  await using all = await stores();
  const { pool, proxy } = all;
  const store = new PostgresProcessorStore({ pool });
  const topics = [{ name: "seat-events", partitions: 1 }];
  await store.open({ processor: "p", state: undefined, topics });
  const owned = at(await store.claim("p", places(0)), 0);
  const flush = {
    processor: "p",
    advances: [advance(owned, laneAt(1))],
    states: [],
    appends: [],
    deadLetters: [],
  };
  // Without appends it is one statement, which commits by itself.
  proxy.loseAnswerTo("refold.positions p");
  await expect(store.flush(flush)).rejects.toMatchObject({ code: "outcome-unknown" });
  expect(at(await store.positions("p"), 0).position).toEqual(laneAt(1));
});

test("a database that isn't there is a clean no", async () => {
  const url = "postgres://nobody:nothing@127.0.0.1:1/none";
  const pool = makePool({ url, name: "nowhere" });
  const store = new PostgresReadModelStore({ pool });
  const unavailable = { code: "database-unavailable", name: "TransientError" };
  await expect(store.open(readModel())).rejects.toMatchObject(unavailable);
  await pool.end();
});

test("a lock that is held too long is a clean no, and the flush works afterwards", async () => {
  await using database = await storesDatabase({ lockTimeoutMs: 100 });
  const store = new PostgresReadModelStore({ pool: database.pool });
  const generation = await store.open(readModel());
  const owned = at(await store.claim(generation, places(0)), 0);
  const holder = await database.pool.connect();
  await holder.query("begin; select * from refold.positions for update");
  const flush = flushOf(generation, { advances: [advance(owned, laneAt(1))], rows: [row] });
  const timeout = { code: "timeout", name: "TransientError" };
  await expect(store.flush(flush)).rejects.toMatchObject(timeout);
  await holder.query("rollback");
  holder.release();
  await store.flush(flush);
  expect((await store.load(generation, ["M1"])).size).toBe(1);
});

test("a commit that the server turns into a rollback is a clean no", async () => {
  await using database = await storesDatabase();
  const working = inTransaction(database.pool, "Failing quietly", async (client) => {
    await client.query("select 1/0").catch(() => undefined);
    return commit(undefined);
  });
  await expect(working).rejects.toMatchObject({ code: "rolled-back", name: "TransientError" });
});

test("of two transactions in a deadlock one gets a clean no", async () => {
  await using database = await storesDatabase({ lockTimeoutMs: 20_000 });
  const { pool } = database;
  await pool.query("create table pair (id int primary key); insert into pair values (1), (2)");
  const barrier = Promise.withResolvers<void>();
  let arrived = 0;
  const crosswise = (first: number, second: number) =>
    inTransaction(pool, "Locking crosswise", async (client) => {
      await client.query("select * from pair where id = $1 for update", [first]);
      arrived += 1;
      if (arrived === 2) barrier.resolve();
      await barrier.promise;
      await client.query("select * from pair where id = $1 for update", [second]);
      return commit(first);
    });
  const results = await Promise.allSettled([crosswise(1, 2), crosswise(2, 1)]);
  const refused = results.filter((result) => result.status === "rejected");
  expect(refused).toHaveLength(1);
  expect(at(refused, 0).reason).toMatchObject({ code: "serialization", name: "TransientError" });
});
