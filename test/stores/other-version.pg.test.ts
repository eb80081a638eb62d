import { expect, test } from "vitest";

import {
  PostgresReadModelReader,
  PostgresReadModelStore,
} from "../../connectors/postgres/index.ts";
import { integer, nullable, text } from "../../engine/columns.ts";
import { flushOf } from "../conformance/read-model-subject.ts";
import { readModel } from "../conformance/store-samples.ts";
import { storesDatabase } from "./postgres-stores.ts";

test("code of another version reads what serves: columns that are lacking are null", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const store = new PostgresReadModelStore({ pool });
  const model = readModel();
  const { projection } = model;
  const serving = await store.open(model);
  const rows = ["b", "a", "c"].map((key, held) => ({
    key,
    partition: 0,
    row: { moduleCode: key, held },
  }));
  await store.flush(flushOf(serving, { rows }));
  const declared = { moduleCode: text(), free: nullable(integer()) };
  const reader = new PostgresReadModelReader({ pool, declared: new Map([[projection, declared]]) });
  const row = { moduleCode: "a", held: 1, free: null };
  expect((await reader.get(projection, "a")).result).toEqual(row);
  const find = async (query: Partial<Parameters<typeof reader.find>[1]>) => {
    const { result, generation } = await reader.find(projection, { limit: 2, ...query });
    expect(generation).toBe(1);
    return result;
  };
  const orderBy = [{ column: "free" }, { column: "held" }];
  const first = await find({ where: { free: null }, orderBy });
  expect(first.rows.map(({ key }) => key)).toEqual(["b", "a"]);
  expect(first.rows[1]).toEqual({ key: "a", row });
  const { next: after = "" } = first;
  expect((await find({ where: { free: null }, orderBy, after })).rows).toMatchObject([
    { key: "c", row: { free: null } },
  ]);
  expect(await find({ where: { free: 3 } })).toEqual({ rows: [], next: undefined });
});
