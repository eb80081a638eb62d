import { Client } from "pg";
import { expect, test } from "vitest";

import { ask, availability, register, startInstance } from "./refold-instance.ts";
import { refold, temporaryFolder, until } from "./refold-process.ts";

async function query(database: string, text: string): Promise<void> {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

interface DriftTold {
  readonly projection: string;
  readonly key: string;
  readonly kind: string;
}

/** An instance whose rows are looked at again and again, with seats that are taken. */
async function auditedInstance() {
  const folder = await temporaryFolder();
  const { http, database } = await startInstance(folder, ["--audit-rest", "1"]);
  const codes = ["CS-101", "CS-102"];
  const rows = codes.map((code) => `('${code}', 'Module', 100, 0)`).join(", ");
  await query(
    database,
    `insert into catalogue.modules (code, title, capacity, fee_cents) values ${rows}`,
  );
  for (const [at, code] of codes.entries()) {
    const offered = async () => (await availability(http, code)).status === 200 || undefined;
    await until(offered, 30_000, () => `${code} on offer`);
    expect((await register(http, code, `s-${at}`)).status).toBe(201);
    const taken = async () => (await availability(http, code)).body["confirmed"] === 1 || undefined;
    await until(taken, 30_000, () => `a seat of ${code} taken`);
  }
  const drift = async (): Promise<readonly DriftTold[]> => {
    const { out } = await refold(["status", "--json", "--data", folder]);
    return (JSON.parse(out) as { drift: readonly DriftTold[] }).drift;
  };
  const run = (...args: readonly string[]) => refold([...args, "--data", folder]);
  return { http, database, drift, run };
}

test("rows changed and deleted by SQL are named by the standing audit, healed, and told no more", async () => {
  const { http, database, drift, run } = await auditedInstance();
  expect(await drift()).toEqual([]);
  const table = `read."seat-availability__g1"`;
  await query(database, `update ${table} set held = held + 7 where key = 'CS-101'`);
  await query(database, `delete from ${table} where key = 'CS-102'`);
  const expected = [
    { projection: "seat-availability", key: "CS-101", kind: "changed" },
    { projection: "seat-availability", key: "CS-102", kind: "missing" },
  ];
  const told = async () => ((await drift()).length === expected.length ? await drift() : undefined);
  expect(await until(told, 60_000, () => "both rows named")).toMatchObject(expected);
  expect((await run("status")).out).toMatch(
    /seat-availability: rows .*CS-101 \(changed\), CS-102 \(missing\)/,
  );
  for (const { key } of expected) {
    const healed = await run("heal", "seat-availability", "--key", key);
    expect(healed, healed.err).toMatchObject({ code: 0 });
    expect(healed.out).toContain(`${key} of seat-availability is healed.`);
  }
  const gone = async () => (await drift()).length === 0 || undefined;
  await until(gone, 60_000, () => "no drift");
  for (const { key } of expected) {
    expect((await availability(http, key)).body).toMatchObject({ held: 0, confirmed: 1 });
  }
  expect(await run("audit", "seat-availability")).toMatchObject({ code: 0 });
  expect((await ask(`${http}/readyz`)).status).toBe(200);
});
