import { Client } from "pg";
import { expect, test } from "vitest";

import { int8ArrayOfNumbers, textArray } from "../../connectors/postgres/binary-array.ts";
import { databaseOfTest } from "./database.ts";

test("binary arrays arrive as they were", async () => {
  const client = new Client({ connectionString: await databaseOfTest() });
  await client.connect();
  const texts = ["a", null, "ü€😀", ""];
  const numbers = [0, -1, 2 ** 40 + 5, -(2 ** 33)];
  const { rows } = await client.query("select $1::text[] as t, $2::int8[]::text[] as n", [
    textArray(texts),
    int8ArrayOfNumbers(numbers),
  ]);
  expect(rows[0].t).toEqual(texts);
  expect(rows[0].n).toEqual(numbers.map(String));
  await client.end();
});
