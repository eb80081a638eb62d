import type { Pool } from "pg";
import { onTestFinished } from "vitest";

import { migrations } from "../../connectors/postgres/event-store/migrations.ts";
import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { databaseOfTest } from "../support/database.ts";

/** A pool on a database of the test's own, with the event store's tables. */
export async function poolOfTest(connectionsMax = 8): Promise<Pool> {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "test", connectionsMax });
  onTestFinished(() => pool.end());
  await migrate(pool, migrations);
  return pool;
}
