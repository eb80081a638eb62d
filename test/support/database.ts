import { randomBytes } from "node:crypto";

import { Client } from "pg";
import { inject, onTestFinished } from "vitest";

/** A new, empty database on the run's server; dropped when the test or suite that made it ends. */
export async function newDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = inject("postgresUrl");
  const name = `t_${randomBytes(6).toString("hex")}`;
  await execute(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => {
      await execute(
        server,
        `select pg_drop_replication_slot(slot_name) from pg_replication_slots
         where database = '${name}' and not active`,
      );
      await execute(server, `drop database if exists ${name} with (force)`);
    },
  };
}

/** `newDatabase` for one test, dropped after it. */
export async function databaseOfTest(): Promise<string> {
  const database = await newDatabase();
  onTestFinished(() => database.drop());
  return database.url;
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
