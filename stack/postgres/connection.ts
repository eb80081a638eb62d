import { Client } from "pg";

export const database = "refold";
export const user = "refold";

export function urlOf(port: number, password: string, name = database): string {
  return `postgresql://${user}:${password}@127.0.0.1:${port}/${name}`;
}

/** Does the server of a URL answer a query? */
export async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Makes the database where there is none; false while the server is still starting. */
export async function makeDatabase(port: number, password: string): Promise<boolean> {
  const connectionString = urlOf(port, password, "postgres");
  const client = new Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const found = await client.query("select 1 from pg_database where datname = $1", [database]);
    if (found.rowCount === 0) await client.query(`create database ${database}`);
    return true;
  } catch (error) {
    if (isStarting(error)) return false;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Not yet up: nothing listens, or the server says that it is starting (57P03). */
function isStarting(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? "";
  return ["ECONNREFUSED", "ECONNRESET", "57P03"].includes(code);
}
