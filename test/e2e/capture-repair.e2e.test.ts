import { join } from "node:path";

import { Client } from "pg";
import { expect, test } from "vitest";

import { startEmbeddedPostgres } from "../../stack/postgres/embedded-postgres.ts";
import { availability, register, startInstance, type Instance } from "./refold-instance.ts";
import { refold, temporaryFolder, until } from "./refold-process.ts";

async function sql(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** What happens to the database while nothing of Refold runs on it. */
async function behindItsBack(folder: string, ...statements: readonly string[]): Promise<void> {
  const server = await startEmbeddedPostgres({ folder });
  try {
    await sql(server.url, ...statements);
  } finally {
    await server.stop();
  }
}

async function stop({ process }: Instance): Promise<void> {
  process.child.kill("SIGTERM");
  await process.ended;
}

const insertModule = (code: string): string =>
  `insert into catalogue.modules (code, title, capacity, fee_cents)
   values ('${code}', 'Programming', 3, 0)`;

const onOffer = (base: string, code: string): Promise<unknown> =>
  until(
    async () => ((await availability(base, code)).status === 200 ? true : undefined),
    10_000,
    () => `module ${code} on offer`,
  );

test("a dropped slot is refused with the way out, which mends everything", async () => {
  const folder = join(await temporaryFolder(), "data");
  const first = await startInstance(folder);
  await sql(first.database, insertModule("CS-101"));
  await onOffer(first.http, "CS-101");
  await register(first.http, "CS-101", "s-1");
  await stop(first);

  await behindItsBack(folder, "select pg_drop_replication_slot('refold')", insertModule("CS-102"));
  const refused = await refold(["start", "--data", folder, "--port", "0"]);
  expect(refused.code).not.toBe(0);
  expect(refused.err).toContain("refold capture repair");
  const status = await refold(["capture", "status", "--data", folder, "--json"]);
  expect(JSON.parse(status.out)).toMatchObject({ state: "broken", slot: "refold" });
  const repaired = await refold(["capture", "repair", "--data", folder]);
  expect(repaired).toMatchObject({ code: 0, err: "" });
  expect(repaired.out).toContain("slot-lost");
  const again = await refold(["capture", "repair", "--data", folder]);
  expect(again.out).toContain("Nothing to repair");

  const second = await startInstance(folder);
  await onOffer(second.http, "CS-102");
  const registered = await register(second.http, "CS-102", "s-2");
  const seen = await availability(second.http, "CS-102", registered.position);
  expect(seen.body).toMatchObject({ confirmed: 1 });

  // The system runs meanwhile: its capture only waits for the moment.
  const lane = await laneOf(second.database);
  const mended = await refold(["republish", lane, "--from", "1", "--data", folder]);
  expect(mended).toMatchObject({ code: 0, err: "" });
  expect(mended.out).toContain(`records of ${lane}`);
  const next = await register(second.http, "CS-102", "s-3");
  const after = await availability(second.http, "CS-102", next.position);
  expect(after.body).toMatchObject({ confirmed: 2 });
  const unknown = await refold(["republish", "nowhere/0", "--from", "1", "--data", folder]);
  expect(unknown.code).toBe(9);
  await stop(second);
});

async function laneOf(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ lane: string }>(
    "select topic || '/' || partition as lane from refold.events order by position desc limit 1",
  );
  await client.end();
  return rows[0]?.lane ?? "";
}
