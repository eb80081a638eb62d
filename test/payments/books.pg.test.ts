import { describe, onTestFinished } from "vitest";

import { PostgresBooks, sandboxMigrations } from "../../connectors/payments/index.ts";
import { makePool, migrate } from "../../connectors/postgres/index.ts";
import { sandboxBooksSuite } from "../conformance/sandbox-books.ts";
import { databaseOfTest } from "../support/database.ts";

async function open(): Promise<PostgresBooks> {
  const pool = makePool({ url: await databaseOfTest(), name: "sandbox" });
  onTestFinished(() => pool.end());
  await migrate(pool, sandboxMigrations);
  return new PostgresBooks({ pool });
}

describe("books of the sandbox in Postgres", () => sandboxBooksSuite(open));
