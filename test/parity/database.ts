import { Client } from "pg";

/** Runs statements, each on its own, on one connection. */
export async function execute(url: string, statements: readonly string[]): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The first column of the first row. */
export async function ask(url: string, sql: string, values: readonly unknown[]): Promise<unknown> {
  const client = new Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({
      text: sql,
      values: [...values],
      rowMode: "array",
    });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

/** An empty database of that name on the server. */
export async function remakeDatabase(serverUrl: string, name: string): Promise<string> {
  await dropDatabase(serverUrl, name);
  await execute(serverUrl, [`create database ${JSON.stringify(name)}`]);
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

/** Drops it with the slots that are on it. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  const quoted = `'${name.replaceAll("'", "''")}'`;
  await execute(serverUrl, [
    `select pg_terminate_backend(active_pid) from pg_replication_slots
     where database = ${quoted} and active`,
    `do $$ begin
       for i in 1..100 loop
         exit when not exists (
           select from pg_replication_slots where database = ${quoted} and active);
         perform pg_sleep(0.05);
       end loop;
     end $$`,
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots
     where database = ${quoted}`,
    `drop database if exists ${JSON.stringify(name)} with (force)`,
  ]);
}

/** Where the WAL that is on disk ends, as text. */
export async function walEnd(url: string): Promise<string> {
  return String(await ask(url, "select pg_current_wal_flush_lsn()::text", []));
}

/** Whether the reader of a slot streams, and was sent everything up to there. */
export async function isSent(url: string, slot: string, lsn: string): Promise<boolean> {
  const sent = await ask(
    url,
    `select r.state = 'streaming' and r.sent_lsn >= $2::pg_lsn
     from pg_replication_slots s join pg_stat_replication r on r.pid = s.active_pid
     where s.slot_name = $1`,
    [slot, lsn],
  );
  return sent === true;
}
