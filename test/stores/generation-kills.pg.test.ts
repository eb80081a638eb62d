import { expect, test } from "vitest";

import {
  makePool,
  PostgresComparisons,
  PostgresGenerations,
  PostgresReadModelStore,
  PostgresSnapshots,
} from "../../connectors/postgres/index.ts";
import { fill } from "../conformance/generations-subject.ts";
import { readModel } from "../conformance/store-samples.ts";
import { cuttingProxy } from "./cutting-proxy.ts";
import { storesDatabase } from "./postgres-stores.ts";

/** One that serves and its shadow, level, and the same ports through a proxy that cuts. */
async function cutOff() {
  await using made = new AsyncDisposableStack();
  const database = made.use(await storesDatabase());
  const proxy = made.use(await cuttingProxy(database.url));
  const cutPool = makePool({ url: proxy.url, name: "cut off", connectionsMax: 2 });
  made.defer(() => cutPool.end());
  const { pool } = database;
  const store = new PostgresReadModelStore({ pool });
  const generations = new PostgresGenerations({ pool });
  const model = readModel();
  const live = await store.open(model);
  const shadow = await generations.create(model, {}, 1n);
  for (const one of [live, shadow]) await fill(store, one, { held: { a: 1, b: 2 }, upTo: 3 });
  const all = made.move();
  return {
    pool,
    store,
    generations,
    model,
    live,
    shadow,
    loseAnswerTo: proxy.loseAnswerTo,
    cut: new PostgresGenerations({ pool: cutPool }),
    cutComparisons: new PostgresComparisons({ pool: cutPool, idleTimeoutMs: 100 }),
    tables: async () => {
      const found = await pool.query<{ name: string }>(
        `select table_name as name from information_schema.tables
         where table_schema = 'read' and table_type = 'BASE TABLE' order by 1`,
      );
      return found.rows.map(({ name }) => name.replace(`${model.projection}__`, ""));
    },
    roles: async () => (await generations.list(model.projection)).map(({ role }) => role),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const swapOf = (projection: string) =>
  ({ projection, from: 1, to: 2, condition: "equal", keepMs: 60_000 }) as const;

test.each(["insert into refold.serving", "update refold.generations set role", "pg_notify"])(
  "a swap that is cut off at %s has moved nothing, and is done when asked for again",
  async (text) => {
    await using at = await cutOff();
    at.loseAnswerTo(text);
    const { projection } = at.model;
    await expect(at.cut.swap(swapOf(projection))).rejects.toMatchObject({
      code: "database-unavailable",
    });
    await expect.poll(at.roles).toEqual(["serving", "building"]);
    expect(await at.cut.swap(swapOf(projection))).toMatchObject({ outcome: "swapped" });
    expect(await at.roles()).toEqual(["kept", "serving"]);
  },
);

test("a swap whose commit's answer is lost is done, and another finds it so", async () => {
  await using at = await cutOff();
  at.loseAnswerTo("commit");
  const { projection } = at.model;
  await expect(at.cut.swap(swapOf(projection))).rejects.toMatchObject({ code: "outcome-unknown" });
  await expect.poll(at.roles).toEqual(["kept", "serving"]);
  expect(await at.cut.swap(swapOf(projection))).toEqual({ outcome: "moved", serving: 2 });
});

test.each(["insert into refold.generations", "create table", "insert into refold.digests"])(
  "a generation whose making is cut off at %s isn't there, and the next one has its number",
  async (text) => {
    await using at = await cutOff();
    const { id } = await new PostgresSnapshots({ pool: at.pool }).take(at.live);
    at.loseAnswerTo(text);
    const cut = at.cut.create(at.model, { snapshot: id }, 2n);
    await expect(cut).rejects.toMatchObject({ code: "database-unavailable" });
    await expect.poll(at.tables).toEqual(["g1", "g2"]);
    const made = await at.cut.create(at.model, { snapshot: id }, 2n);
    expect(made.generation).toBe(3);
    expect(await at.store.digests(made)).toEqual(await at.store.digests(at.live));
  },
);

test.each(["delete from refold.positions", "delete from refold.digests", "drop table", "commit"])(
  "a removal that is cut off at %s goes on when asked for again",
  async (text) => {
    await using at = await cutOff();
    await at.generations.retire(at.shadow);
    expect(await at.cut.remove(at.shadow, 1)).toBe("more");
    expect(await at.cut.remove(at.shadow, 5)).toBe("more");
    at.loseAnswerTo(text);
    const cut = at.cut.remove(at.shadow, 5);
    await expect(cut).rejects.toMatchObject({
      code: text === "commit" ? "outcome-unknown" : "database-unavailable",
    });
    expect(await at.cut.remove(at.shadow, 5)).toBe("gone");
    expect(await at.tables()).toEqual(["g1"]);
    const left = await at.pool.query(
      `select from refold.digests where generation = 2
       union all select from refold.positions where generation = 2`,
    );
    expect(left.rowCount).toBe(0);
  },
);

test("whoever compares and falls silent loses its view, and holds up no removal", async () => {
  await using at = await cutOff();
  await at.generations.retire(at.shadow);
  const comparing = at.cutComparisons.within([at.live, at.shadow], async ([, view]) => {
    const removed = async () => at.generations.remove(at.shadow, 5).catch(() => "held up");
    await expect.poll(removed, { timeout: 5_000 }).toBe("gone");
    for await (const page of view?.rows() ?? []) expect(page).toEqual([]);
  });
  await expect(comparing).rejects.toMatchObject({ name: "TransientError" });
});
