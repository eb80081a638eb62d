import type { Pool } from "pg";

import type { Migration } from "../connectors/postgres/migrations.ts";
import { CommandFailure } from "./command-failure.ts";

/** Steps that a database has taken, or undefined when it holds nothing of ours. */
async function appliedSteps(pool: Pool): Promise<ReadonlySet<string> | undefined> {
  const { rows: found } = await pool.query<{ there: boolean }>(
    "select to_regclass('refold.migrations') is not null as there",
  );
  if (found[0]?.there !== true) return undefined;
  const { rows } = await pool.query<{ name: string }>("select name from refold.migrations");
  return new Set(rows.map((row) => row.name));
}

/** Names of the steps that the database hasn't taken. */
export async function missingMigrations(
  pool: Pool,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const applied = await appliedSteps(pool);
  return migrations.map(({ name }) => name).filter((name) => applied?.has(name) !== true);
}

/** @throws CommandFailure `versionMismatch` when a newer version has changed the database. */
export async function assertNotNewer(pool: Pool, migrations: readonly Migration[]): Promise<void> {
  const applied = await appliedSteps(pool);
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...(applied ?? [])].filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new CommandFailure(
    "versionMismatch",
    `The database was changed by a newer version of Refold (${unknown.join(", ")}): use that version.`,
  );
}

/** For commands that only read. @throws CommandFailure when the database isn't as this code needs. */
export async function assertCurrent(pool: Pool, migrations: readonly Migration[]): Promise<void> {
  await assertNotNewer(pool, migrations);
  const applied = await appliedSteps(pool);
  if (!applied) {
    throw new CommandFailure(
      "nothingThere",
      "The database holds nothing of Refold yet: begin with refold start.",
    );
  }
  const missing = await missingMigrations(pool, migrations);
  if (missing.length === 0) return;
  throw new CommandFailure(
    "versionMismatch",
    `The database is of an older version (it lacks ${missing.join(", ")}): ` +
      "refold start brings it up to date.",
  );
}
