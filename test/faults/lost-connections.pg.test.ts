import { expect, onTestFinished, test } from "vitest";

import { makePool } from "../../connectors/postgres/pool.ts";
import { until } from "../e2e/refold-process.ts";
import { databaseOfTest } from "../support/database.ts";

test("a connection that breaks while somebody has it tells at the next statement, and ends nothing", async () => {
  const pool = makePool({ url: await databaseOfTest(), name: "test", connectionsMax: 2 });
  onTestFinished(() => pool.end());
  const client = await pool.connect();
  let broken = false;
  client.once("error", () => (broken = true));
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  await pool.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
  await until(
    () => (broken ? true : undefined),
    5_000,
    () => "the connection broken",
  );
  // Who listened once listens no more; a second error must not end the process either.
  client.emit("error", new Error("again"));
  await expect(client.query("select 1")).rejects.toThrow();
  client.release(true);
  expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
});
