import { Client, type QueryResult } from "pg";

import { ask, availability, startInstance } from "./refold-instance.ts";
import { refold, temporaryFolder, until } from "./refold-process.ts";

export const codes = ["CS-101", "CS-102", "CS-103"] as const;

export async function query(database: string, text: string): Promise<QueryResult> {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

/** An instance with modules that are on offer, and commands that rebuild in its folder. */
export async function offeringInstance() {
  const folder = await temporaryFolder();
  const instance = await startInstance(folder);
  const rows = codes.map((code) => `('${code}', 'Module', 100000, 0)`).join(", ");
  await query(
    instance.database,
    `insert into catalogue.modules (code, title, capacity, fee_cents) values ${rows}`,
  );
  for (const code of codes) {
    await until(
      async () => ((await availability(instance.http, code)).status === 200 ? true : undefined),
      30_000,
      () => `${code} on offer`,
    );
  }
  const rebuild = (...args: readonly string[]) => refold(["rebuild", ...args, "--data", folder]);
  return { folder, ...instance, rebuild };
}

const stateOf = async (http: string, id: string): Promise<unknown> =>
  (await ask(`${http}/admin/rebuilds/${id}`)).body["state"];

export const untilState = (http: () => string, id: string, state: string): Promise<true> =>
  until(
    async () => ((await stateOf(http(), id).catch(() => "?")) === state ? true : undefined),
    60_000,
    () => `rebuild ${id} ${state}`,
  );
