import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { readInstance } from "../../stack/data-folder/instance-file.ts";
import { availability, register, startInstance as start, type Got } from "./refold-instance.ts";
import { refold, temporaryFolder, until, type RefoldProcess } from "./refold-process.ts";

async function sql(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(text);
  await client.end();
}

const onOffer = (base: string, code: string, timeoutMs: number): Promise<Got> =>
  until(
    async () => {
      const got = await availability(base, code);
      return got.status === 200 ? got : undefined;
    },
    timeoutMs,
    () => `module ${code} on offer`,
  );

const insertModule = (code: string, capacity: number): string =>
  `insert into catalogue.modules (code, title, capacity, fee_cents)
   values ('${code}', 'Programming', ${capacity}, 0)`;

test("a module inserted with SQL is on offer within a second, and keeps its seats through restarts and crashes", async () => {
  const folder = join(await temporaryFolder(), "data");
  const first = await start(folder);
  await sql(first.database, insertModule("CS-101", 3));
  const offered = await onOffer(first.http, "CS-101", 1_000);
  expect(offered.body).toMatchObject({ capacity: 3, held: 0, confirmed: 0, available: 3 });

  const registered = await register(first.http, "CS-101", "s-1");
  expect(registered).toMatchObject({ status: 201, body: { status: "completed" } });
  const seen = await availability(first.http, "CS-101", registered.position);
  expect(seen.body).toMatchObject({ confirmed: 1, available: 2 });

  first.process.child.kill("SIGTERM");
  const ended = await first.process.ended;
  expect(ended).toMatchObject({ code: 0, err: "" });

  const second = await start(folder);
  const kept = await availability(second.http, "CS-101", registered.position);
  expect(kept.body).toMatchObject({ confirmed: 1, available: 2 });
  const again = await register(second.http, "CS-101", "s-2");
  expect(again.status).toBe(201);
  // Nothing is drained: the program dies with its launcher's process group still there.
  await killProgram(folder, second.process);

  const third = await start(folder);
  const survived = await availability(third.http, "CS-101", again.position);
  expect(survived.body).toMatchObject({ confirmed: 2, available: 1 });
  const refused = await register(third.http, "CS-101", "s-2");
  expect(refused).toMatchObject({ status: 409, body: { code: "already-registered" } });
});

async function killProgram(folder: string, process_: RefoldProcess): Promise<void> {
  const instance = await readInstance(folder);
  process.kill(instance?.pid ?? 0, "SIGKILL");
  await process_.ended;
}

test("a program whose launcher is killed drains and gives the folder back", async () => {
  const folder = join(await temporaryFolder(), "data");
  const first = await start(folder);
  first.process.child.kill("SIGKILL");
  await first.process.ended;
  const second = await until(
    async () => {
      const ended = await refold(["status", "--data", folder, "--json"]);
      return ended.code === 0 && ended.out.includes('"running": false') ? ended : undefined;
    },
    30_000,
    () => "the folder given back",
  );
  expect(JSON.parse(second.out)).toMatchObject({ hold: null });
});

test("status and log find the running instance through its folder", async () => {
  const folder = join(await temporaryFolder(), "data");
  const started = await start(folder);
  await sql(started.database, insertModule("CS-102", 5));
  await onOffer(started.http, "CS-102", 5_000);
  const status = await until(
    async () => {
      const told = await refold(["status", "--data", folder]);
      return /seat-availability +projection +running +0 /.test(told.out) ? told : undefined;
    },
    5_000,
    () => "seat-availability told as running",
  );
  expect(status).toMatchObject({ code: 0, err: "" });
  expect(status.out).toMatch(/^running/);
  const log = await refold(["log", "read", "module-events", "--data", folder, "--json"]);
  expect(log.out).toContain("CS-102");
});

test("a second instance on the folder, a taken port and a broken folder each have their sentence and exit code", async () => {
  const folder = join(await temporaryFolder(), "data");
  const started = await start(folder);
  const { port } = new URL(started.http);

  const [second, taken] = await Promise.all([
    refold(["start", "--data", folder, "--port", "0"]),
    refold(["start", "--data", `${folder}-other`, "--port", port]),
  ]);
  expect(second.code).toBe(4);
  expect(second.err).toMatch(
    /^refold: The data folder .* is in use by process \d+ \(refold start\), since 20.*\n$/,
  );
  expect(taken.code).toBe(3);
  expect(taken.err).toMatch(new RegExp(`^refold: Port ${port} on 127.0.0.1 is taken: .*\\n$`));
});

test("a port that is taken by a stranger is told before anything is started", async () => {
  const folder = join(await temporaryFolder(), "data");
  const stranger = createServer();
  stranger.listen(0, "127.0.0.1");
  await once(stranger, "listening");
  onTestFinished(() => void stranger.close());
  const { port } = stranger.address() as AddressInfo;
  const { code } = await refold(["start", "--data", folder, "--port", String(port)]);
  expect(code).toBe(3);
});

test("a folder whose database is broken is told by name with exit code 5", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "postgres"));
  await writeFile(join(folder, "postgres", "PG_VERSION"), "12\n");
  await writeFile(join(folder, "postgres.password"), "x");
  const { code, err } = await refold(["start", "--data", folder, "--port", "0"]);
  expect(code).toBe(5);
  expect(err).toMatch(/^refold: .* is not a data folder of Postgres 18 \(it was made by 12\)/);
});

test("a folder that isn't there is told to commands that only read, with exit code 9", async () => {
  const { code, err } = await refold(["status", "--data", "/nowhere/at/all"]);
  expect(code).toBe(9);
  expect(err).toMatch(/There is no data folder/);
});
