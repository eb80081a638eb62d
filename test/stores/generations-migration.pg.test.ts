import { expect, test } from "vitest";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresGenerations,
  PostgresReadModelStore,
} from "../../connectors/postgres/index.ts";
import { newDatabase } from "../support/database.ts";
import { readModel } from "../conformance/store-samples.ts";

const stepsOfRebuilds = ["generations-1", "rebuilds-1", "snapshots-1"];

test("a database from before rebuilds keeps what serves; what doesn't is removed", async () => {
  const database = await newDatabase();
  const pool = makePool({ url: database.url, name: "migration test" });
  try {
    const before = engineMigrations().filter(({ name }) => !stepsOfRebuilds.includes(name));
    await migrate(pool, before);
    const { projection, columns, topics } = readModel({ projection: "seats" });
    await pool.query(`
      create table read."seats__g1" (key text collate "C" primary key, partition integer not null,
        module_code text collate "C" not null, held integer not null);
      create table read."seats__g2" (like read."seats__g1" including all);
      insert into read."seats__g2" values ('a', 0, 'a', 4)`);
    await pool.query(
      `insert into refold.generations (projection, generation, version, columns)
       values ($1, 1, 1, $2), ($1, 2, 1, $2)`,
      [projection, JSON.stringify(columns)],
    );
    await pool.query("insert into refold.serving (projection, generation) values ($1, 2)", [
      projection,
    ]);
    expect(await migrate(pool, engineMigrations())).toEqual(stepsOfRebuilds);
    const generations = new PostgresGenerations({ pool });
    expect((await generations.list()).map(({ role }) => role)).toEqual(["removing", "serving"]);
    const store = new PostgresReadModelStore({ pool });
    const model = { projection, version: 1, columns, indexes: [], topics };
    const opened = await store.open(model);
    expect(opened).toMatchObject({ generation: 2, serving: true });
    expect((await store.load(opened, ["a"])).get("a")).toEqual({ moduleCode: "a", held: 4 });
    expect(await generations.remove({ projection, generation: 1 }, 10)).toBe("gone");
    expect((await generations.create(model, {}, 1n)).generation).toBe(3);
    const shown = await pool.query('select key from read."seats"').catch(() => undefined);
    expect(shown?.rows).toEqual([{ key: "a" }]);
  } finally {
    await pool.end();
    await database.drop();
  }
});
