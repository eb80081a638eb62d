import { randomBytes } from "node:crypto";

import { Client } from "pg";
import { inject, onTestFinished, vi } from "vitest";

/** A new, empty database on the run's server; dropped when the test or suite that made it ends. */
export async function newDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = inject("postgresUrl");
  const name = `t_${randomBytes(6).toString("hex")}`;
  await execute(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    // The server may take a moment to notice that who read a slot is gone, and keeps it until then.
    drop: () => vi.waitFor(() => dropDatabase(server, name), { timeout: 20_000, interval: 100 }),
  };
}

/** `newDatabase` for one test, dropped after it. */
export async function databaseOfTest(): Promise<string> {
  const database = await newDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

async function dropDatabase(server: string, name: string): Promise<void> {
  await execute(
    server,
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots
     where database = '${name}' and not active`,
  );
  await execute(server, `drop database if exists ${name} with (force)`);
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
