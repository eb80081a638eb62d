import type { Pool } from "pg";
import { afterAll, beforeAll } from "vitest";

import { PostgresEventStore } from "../../connectors/postgres/event-store/event-store.ts";
import { migrations } from "../../connectors/postgres/event-store/migrations.ts";
import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { newDatabase } from "../support/database.ts";
import { publishedCases } from "./vectors.ts";

let pool: Pool;
let database: Awaited<ReturnType<typeof newDatabase>>;

beforeAll(async () => {
  database = await newDatabase();
  pool = makePool({ url: database.url, name: "test" });
  await migrate(pool, migrations);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

publishedCases(async () => {
  await pool.query(`truncate refold.events, refold.event_tags, refold.lanes;
    alter sequence refold.event_positions restart`);
  return new PostgresEventStore({ pool });
});
