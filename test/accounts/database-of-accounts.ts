import type { Pool } from "pg";
import { onTestFinished } from "vitest";

import { accountMigrations } from "../../connectors/accounts/index.ts";
import { makePool, migrate } from "../../connectors/postgres/index.ts";
import { migrations as catalogueMigrations } from "../../processors/catalogue/index.ts";
import { databaseOfTest } from "../support/database.ts";

/** A new database with the tables of accounts and keys, as a pool of each of so many instances. */
export async function poolsOfTest(instances: number): Promise<readonly Pool[]> {
  const url = await databaseOfTest();
  const pools = Array.from({ length: instances }, () => makePool({ url, name: "accounts" }));
  onTestFinished(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
  });
  const [first] = pools;
  if (first) await migrate(first, [...catalogueMigrations, ...accountMigrations]);
  return pools;
}
