import { expect, it } from "vitest";

import { storeOfTest } from "./store-of-test.ts";

const insert = "insert into catalogue.modules (code, title, capacity, fee_cents) values";

it("keeps the time of the last change, whatever the writer says", async () => {
  const { pool } = await storeOfTest();
  await pool.query(`${insert} ('A', 'Algebra', 3, 0)`);
  const read = async () => {
    const { rows } = await pool.query<{ at: Date }>(
      "select updated_at as at from catalogue.modules",
    );
    return rows[0]?.at.getTime() ?? 0;
  };
  const made = await read();
  expect(Math.abs(made - Date.now())).toBeLessThan(60_000);
  await pool.query("update catalogue.modules set capacity = 4, updated_at = '2000-01-01'");
  expect(await read()).toBeGreaterThanOrEqual(made);
});

it.each([
  ["a negative capacity", `${insert} ('A', 'T', -1, 0)`],
  ["a negative fee", `${insert} ('A', 'T', 1, -1)`],
  ["an empty code", `${insert} ('', 'T', 1, 0)`],
  ["no fee", "insert into catalogue.modules (code, title, capacity) values ('A', 'T', 1)"],
  [
    "an infinite time",
    "insert into catalogue.modules (code, title, capacity, fee_cents, opens_at) " +
      "values ('A', 'T', 1, 0, 'infinity')",
  ],
])("refuses %s", async (_, sql) => {
  const { pool } = await storeOfTest();
  await expect(pool.query(sql)).rejects.toThrow(/violates/);
});

it("has no nullable column with a default, which a changelog could not tell from NULL", async () => {
  const { pool } = await storeOfTest();
  const { rows } = await pool.query(
    `select column_name from information_schema.columns
     where table_schema = 'catalogue' and is_nullable = 'YES' and column_default is not null`,
  );
  expect(rows).toEqual([]);
});
