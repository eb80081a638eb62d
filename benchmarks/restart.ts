/**
 * Restart after kill -9 in the middle of a surge: how long from the start of the process until the
 * first record is applied, and until `/readyz` says yes. The database is left running by the kill,
 * as it is by a crash. Checked before a figure is printed: every registration that was answered
 * 201 is stored and shown exactly once, and the lanes have no gaps.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { Client } from "pg";

import { Connection } from "./_connection.ts";
import { offerModules, queryRows, waitUntil } from "./_instance.ts";
import { medianOf } from "./harness/result.ts";
import { tell, tellChecked } from "./harness/tell.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = Number(values.rounds);
const connections = 50;
const surgeMs = 1_500;

interface Place {
  readonly data: string;
  readonly port: number;
  readonly httpUrl: string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function start({ data, port }: Place): ChildProcess {
  const launcher = new URL("../bin/refold.js", import.meta.url).pathname;
  const args = [launcher, "start", "--data", data, "--port", String(port)];
  const env = { ...process.env, REFOLD_AUTH: "off" };
  return spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
}

async function instanceIn(data: string): Promise<{ pid: number; databaseUrl: string }> {
  const text = await readFile(join(data, "instance.json"), "utf8");
  return JSON.parse(text) as { pid: number; databaseUrl: string };
}

async function isReady(httpUrl: string): Promise<boolean> {
  return fetch(`${httpUrl}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Registers as fast as it is answered until the server is gone; tells what was accepted. */
async function surge(httpUrl: string, codes: readonly string[], round: number): Promise<string[]> {
  const accepted: string[] = [];
  const clients = Array.from({ length: connections }, async (_, client) => {
    const connection = await Connection.open(httpUrl);
    for (let next = 0; ; next += 1) {
      const body = {
        moduleCode: codes[(client + next) % codes.length],
        studentId: `s-${round}-${client}-${next}`,
      };
      const answer = await connection.post("/registrations", body);
      if (answer.status !== 201) continue;
      accepted.push((JSON.parse(answer.body) as { registrationId: string }).registrationId);
    }
  });
  // Each ends with its connection, which the kill cuts.
  await Promise.allSettled(clients);
  return accepted;
}

const applied = async (client: Client): Promise<bigint> => {
  const { rows } = await client.query<{ sum: string }>(
    "select coalesce(sum(next_offset), 0)::text as sum from refold.positions",
  );
  return BigInt(rows[0]?.sum ?? 0);
};

async function watchFirstRecord(client: Client, before: bigint, beganMs: number): Promise<number> {
  while ((await applied(client)) === before) await sleep(20);
  return performance.now() - beganMs;
}

async function watchReady(httpUrl: string, beganMs: number): Promise<number> {
  while (!(await isReady(httpUrl))) await sleep(20);
  return performance.now() - beganMs;
}

/** Ends the program alone: its launcher goes by itself. */
async function kill(place: Place, launcher: ChildProcess): Promise<void> {
  const ended = once(launcher, "exit");
  process.kill((await instanceIn(place.data)).pid, "SIGKILL");
  await ended;
}

async function measure(
  place: Place,
  client: Client,
): Promise<{ launcher: ChildProcess; firstRecordMs: number; readyMs: number }> {
  // Also where the surge has left nothing to apply there is something now.
  await client.query("update catalogue.modules set capacity = capacity + 1");
  const before = await applied(client);
  const beganMs = performance.now();
  const launcher = start(place);
  const [firstRecordMs, readyMs] = await Promise.all([
    watchFirstRecord(client, before, beganMs),
    watchReady(place.httpUrl, beganMs),
  ]);
  return { launcher, firstRecordMs, readyMs };
}

async function check(databaseUrl: string, accepted: ReadonlySet<string>): Promise<void> {
  const instance = { databaseUrl };
  const count = async (sql: string): Promise<number> =>
    Number((await queryRows<{ n: string }>(instance as never, sql))[0]?.n);
  const stored = `select count(*) n from refold.events where ce_type like '%.ModuleRegistered'`;
  const wanted = await count(stored);
  await waitUntil("the read model has every registration", async () => {
    return (await count(`select count(*) n from read."registrations"`)) === wanted;
  });
  const shown = await queryRows<{ id: string }>(
    instance as never,
    `select registration_id id from read."registrations"`,
  );
  const ids = new Set(shown.map(({ id }) => id));
  const lost = [...accepted].filter((id) => !ids.has(id));
  if (lost.length > 0) throw new Error(`${lost.length} accepted registrations are not there.`);
  const gaps = await count(
    `select count(*) n from (select 1 from refold.events group by topic, partition
     having count(*) <> max(sequence)) broken`,
  );
  if (gaps > 0) throw new Error(`${gaps} lanes have gaps or doubles.`);
}

const folder = await mkdtemp(join(tmpdir(), "refold-restart-"));
const port = await freePort();
const place = { data: join(folder, "data"), port, httpUrl: `http://127.0.0.1:${port}` };
let launcher = start(place);
await waitUntil("the instance is ready", () => isReady(place.httpUrl));
const { databaseUrl } = await instanceIn(place.data);
const codes = await offerModules({ httpUrl: place.httpUrl, databaseUrl } as never, {
  modules: 20,
  capacity: 1_000_000,
});
const client = new Client({ connectionString: databaseUrl });
await client.connect();
const accepted = new Set<string>();
const measured: { firstRecordMs: number; readyMs: number }[] = [];
for (let round = 0; round < rounds; round += 1) {
  const surging = surge(place.httpUrl, codes, round);
  await sleep(surgeMs);
  await kill(place, launcher);
  for (const id of await surging) accepted.add(id);
  const one = await measure(place, client);
  launcher = one.launcher;
  measured.push(one);
}
await check(databaseUrl, accepted);
await client.end();
launcher.kill("SIGTERM");
await once(launcher, "exit");
await rm(folder, { recursive: true, force: true });

tellChecked(`${accepted.size} registrations accepted over ${rounds} kills, none lost or doubled`);

function tellMs(name: string, of: readonly number[]): void {
  const sorted = of.toSorted((one, other) => one - other);
  const figure = { unit: "ms", better: "less", role: "measured" } as const;
  tell({ ...figure, name: `${name}, median`, value: medianOf(sorted) });
  tell({ ...figure, name: `${name}, largest`, value: sorted.at(-1) ?? Number.NaN });
}

tellMs(
  "first record applied",
  measured.map((one) => one.firstRecordMs),
);
tellMs(
  "ready",
  measured.map((one) => one.readyMs),
);
