/**
 * The real registrations (or made-up ones of about the same number) through decide, append,
 * capture, log and three projections, in one process with its Postgres, on a fresh data folder.
 * Measured from the first command until the read models show everything; checked against a plain
 * script before a figure is printed.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";

import { openDatabase } from "../bin/database.ts";
import { readOuladFiles } from "../bin/import/oulad-files.ts";
import { planImport } from "../bin/import/oulad-plan.ts";
import { runImport } from "../bin/import/run-import.ts";
import { endOfTime, Oracle } from "../test/import/oracle.ts";
import { hasRealFiles, realFolder, writeSample } from "../test/import/sample.ts";

const target = 5_000;

async function filesIn(folder: string): Promise<string> {
  if (hasRealFiles) return realFolder;
  const modules = Array.from({ length: 20 }, (_, n) => `M${10 + n}-201${3 + (n % 2)}J`);
  await writeSample(folder, { modules, studentsPerModule: 1_600 });
  return folder;
}

async function check(url: string, oracle: Oracle): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ module_code: string; confirmed: number; held: number }>(
    `select module_code, confirmed, held from read."seat-availability"`,
  );
  await client.end();
  const found = new Map(rows.map((row) => [row.module_code, row]));
  for (const [code, seats] of oracle.at(endOfTime)) {
    const row = found.get(code);
    if (row?.confirmed === seats.confirmed && row.held === 0) continue;
    throw new Error(
      `${code} has ${row?.confirmed} seats taken, and the files say ${seats.confirmed}.`,
    );
  }
}

async function measure(folder: string): Promise<void> {
  const files = await filesIn(join(folder, "files"));
  const plan = planImport(await readOuladFiles(files));
  const place = { databaseUrl: undefined, dataFolder: join(folder, "data") };
  await using database = await openDatabase({
    place,
    command: "import",
    missing: "make",
    whenHeld: "refuse",
  });
  const outcome = await runImport({ plan, database, signal: new AbortController().signal });
  if (outcome.kind !== "done") throw new Error(`The import stopped at ${outcome.at}.`);
  await check(database.url, new Oracle(files));
  const { events, elapsedMs } = outcome;
  const rate = Math.round(events / (elapsedMs / 1_000));
  console.log(`${plan.groups.length} times, ${plan.registrations + plan.withdrawals} commands`);
  console.log(`${events} events in ${(elapsedMs / 1_000).toFixed(1)} s: ${rate} events/s`);
  console.log(`target ${target} events/s: ${rate >= target ? "reached" : "missed"}`);
}

const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
await chmod(folder, 0o755);
try {
  await measure(folder);
} finally {
  await rm(folder, { recursive: true, force: true });
}
