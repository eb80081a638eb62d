import type { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import {
  migrations,
  PostgresRegistryStore,
  StoredSchemaRegistry,
} from "../../connectors/registry/index.ts";
import { TransientError } from "../../engine/errors.ts";
import { registryStoreConformance } from "../conformance/registry-store.ts";
import { schemaRegistryConformance } from "../conformance/schema-registry.ts";
import { newDatabase } from "../support/database.ts";
import { emptyRegistry } from "./empty-registry.ts";

let pool: Pool;
let otherProcess: Pool;
let database: Awaited<ReturnType<typeof newDatabase>>;

beforeAll(async () => {
  database = await newDatabase();
  pool = makePool({ url: database.url, name: "registry test" });
  otherProcess = makePool({ url: database.url, name: "registry test 2" });
  await migrate(pool, migrations);
});

afterAll(async () => {
  await pool.end();
  await otherProcess.end();
  await database.drop();
});

const registryOn = (of: Pool): StoredSchemaRegistry =>
  new StoredSchemaRegistry({ store: new PostgresRegistryStore({ pool: of }) });

async function emptied(): Promise<StoredSchemaRegistry> {
  await emptyRegistry(pool);
  return registryOn(pool);
}

schemaRegistryConformance("The registry in Postgres", emptied);

registryStoreConformance("Postgres", async () => {
  await emptyRegistry(pool);
  return new PostgresRegistryStore({ pool });
});

const schemaOf = (fields: number): string =>
  JSON.stringify({
    type: "record",
    name: "R",
    fields: Array.from({ length: fields }, (_, index) => ({
      name: `f${index}`,
      type: "int",
      default: index,
    })),
  });

test("several processes that register at once agree on ids and versions, without gaps", async () => {
  const here = await emptied();
  const there = registryOn(otherProcess);
  const made = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      (index % 2 ? here : there).register(`s${index % 3}`, schemaOf(index % 7)),
    ),
  );
  const byText = new Map(made.map((schema) => [schema.schema, schema.id]));
  for (const schema of made) expect(byText.get(schema.schema)).toBe(schema.id);
  expect([...new Set(byText.values())].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  for (const subject of await there.subjects()) {
    const versions = (await there.versions(subject)).map((schema) => schema.version);
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect(new Set((await here.versions(subject)).map((one) => one.id)).size).toBe(versions.length);
  }
});

test("of two incompatible schemas that race for a new subject one is refused", async () => {
  const here = await emptied();
  const there = registryOn(otherProcess);
  await here.setCompatibility("FULL");
  const outcomes = await Promise.allSettled([
    here.register("a", '{"type":"record","name":"R","fields":[{"name":"x","type":"int"}]}'),
    there.register("a", '{"type":"record","name":"R","fields":[{"name":"y","type":"int"}]}'),
  ]);
  expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(await here.versions("a")).toHaveLength(1);
});

test("changes that wait for each other leave the pool's connections to others, and are bounded", async () => {
  await emptied();
  const narrow = makePool({ url: database.url, name: "narrow", connectionsMax: 2 });
  const store = new PostgresRegistryStore({ pool: narrow, changesWaitingMax: 3 });
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const changes = Array.from({ length: 4 }, () =>
    store.change(".", async (change) => {
      await opened;
      return change.newId(".");
    }),
  );
  await expect(store.change(".", (change) => change.newId("."))).rejects.toThrow(TransientError);
  expect((await narrow.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  open();
  expect(await Promise.all(changes)).toEqual([1, 2, 3, 4]);
  expect(await store.change(".", (change) => change.newId("."))).toBe(5);
  await narrow.end();
});

test("a database that can't be reached is an outage, to be tried again", async () => {
  const nowhere = makePool({ url: "postgres://127.0.0.1:1/none", name: "nowhere" });
  const registry = registryOn(nowhere);
  await expect(registry.schemaById(1)).rejects.toThrow(TransientError);
  await expect(registry.register("a", '"int"')).rejects.toThrow(TransientError);
  await expect(registry.versions("a")).rejects.toThrow(TransientError);
  await nowhere.end();
});
