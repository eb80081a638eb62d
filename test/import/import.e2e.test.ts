import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Client } from "pg";
import { expect, test } from "vitest";

import { readInstance } from "../../stack/data-folder/instance-file.ts";
import { ask, register, startInstance } from "../e2e/refold-instance.ts";
import { refold, RefoldProcess, temporaryFolder, until } from "../e2e/refold-process.ts";
import { endOfTime, Oracle } from "./oracle.ts";
import { hasRealFiles, realFolder, writeSample } from "./sample.ts";

const someModules = ["AAA-2013J", "AAA-2014J", "BBB-2013J", "DDD-2013B"];

/** A few modules of the real files where they are, and made-up ones otherwise. */
async function fewModules(): Promise<string> {
  const folder = await temporaryFolder();
  if (!hasRealFiles) {
    await writeSample(folder, { modules: someModules, studentsPerModule: 400 });
    return folder;
  }
  for (const name of ["courses.csv", "studentRegistration.csv"]) {
    const [heading = "", ...lines] = (await readFile(join(realFolder, name), "utf8")).split("\n");
    const wanted = lines.filter((line) =>
      someModules.includes(line.replaceAll('"', "").split(",").slice(0, 2).join("-")),
    );
    await writeFile(join(folder, name), [heading, ...wanted, ""].join("\n"));
  }
  return folder;
}

/** Compares the read model (and, with a time, the past) of every module with the oracle. */
async function expectSeats(base: string, oracle: Oracle, atMs?: number): Promise<void> {
  const at = atMs === undefined ? "" : `?at=${new Date(atMs).toISOString()}`;
  for (const [code, seats] of oracle.at(atMs ?? endOfTime)) {
    const { body } = await ask(`${base}/modules/${code}/availability${at}`);
    expect(body, `${code}${at}`).toMatchObject({
      capacity: seats.capacity,
      held: 0,
      confirmed: seats.confirmed,
      available: seats.capacity - seats.confirmed,
    });
  }
}

const times = (oracle: Oracle): number[] => [
  oracle.offeredAt,
  ...["2013-02-01T09:00:00Z", "2013-09-15T00:00:00Z", "2014-10-13T17:00:00Z"]
    .map((text) => Date.parse(text))
    .filter((time) => time >= oracle.offeredAt),
];

const summaryOf = (oracle: Oracle): string => {
  const numbers = new Intl.NumberFormat("en");
  const taken = numbers.format(oracle.registrations - oracle.withdrawals);
  return `${numbers.format(oracle.registrations)} registrations, ${numbers.format(oracle.withdrawals)} withdrawals, ${taken} seats taken`;
};

test("the whole dataset, imported where nothing runs, equals what a plain script computes", async () => {
  const data = join(await temporaryFolder(), "data");
  const files = hasRealFiles ? realFolder : await fewModules();
  const oracle = new Oracle(files);
  const imported = await refold(["import", "oulad", files, "--data", data]);
  expect(imported.code, imported.err).toBe(0);
  expect(imported.out).toContain(summaryOf(oracle));
  if (hasRealFiles) {
    expect(imported.out).toContain("32,548 registrations, 10,033 withdrawals, 22,515 seats taken");
    expect(imported.out).toContain("it has no registration date (45): lines ");
  }
  const { http } = await startInstance(data);
  await expectSeats(http, oracle);
  for (const time of times(oracle)) await expectSeats(http, oracle, time);
});

test("killed in the middle and run again, it ends the same; run once more, nothing changes", async () => {
  const data = join(await temporaryFolder(), "data");
  const files = await fewModules();
  const oracle = new Oracle(files);
  const args = ["import", "oulad", files, "--data", data];
  const killed = new RefoldProcess(args);
  await untilEvents(data, 300);
  process.kill((await readInstance(data))?.pid ?? 0, "SIGKILL");
  expect((await killed.ended).signal).toBe("SIGKILL");

  const again = await refold(args);
  expect(again.code, again.err).toBe(0);
  expect(again.out).toContain(summaryOf(oracle));
  const once = await refold(args);
  expect(once.code, once.err).toBe(0);
  expect(once.out).toBe(again.out);

  const { http } = await startInstance(data);
  await expectSeats(http, oracle);
  await expectSeats(http, oracle, Date.parse("2013-10-01T00:00:00Z"));
});

test("beside a running instance, which refuses commands of others meanwhile", async () => {
  const data = join(await temporaryFolder(), "data");
  const files = await fewModules();
  const oracle = new Oracle(files);
  const { http } = await startInstance(data);
  const importing = new RefoldProcess(["import", "oulad", files, "--data", data]);
  // A command that leaves no event behind, whenever it comes: the import may be over in a moment.
  const withdraw = () => ask(`${http}/registrations/nobody`, { method: "DELETE" });
  const refusedMeanwhile = await until(
    async () => {
      const answer = await withdraw();
      return answer.status === 404 ? undefined : answer;
    },
    60_000,
    () => "a command that is refused",
  );
  expect(refusedMeanwhile).toMatchObject({ status: 503, body: { code: "import-in-progress" } });
  const ended = await importing.ended;
  expect(ended.code, ended.err).toBe(0);
  await expectSeats(http, oracle);
  expect((await register(http, "AAA-2013J", "somebody")).status).toBe(201);

  // Now the store holds a later event of somebody else.
  const refused = await refold(["import", "oulad", files, "--data", data]);
  expect(refused.code).toBe(8);
  expect(refused.err).toMatch(/^refold: The store holds events of others that are later/);
});

test("with a capacity the rules decide, and an interrupted import can be given up", async () => {
  const data = join(await temporaryFolder(), "data");
  const files = await fewModules();
  const args = ["import", "oulad", files, "--data", data];
  const interrupted = new RefoldProcess([...args, "--capacity", "30"]);
  await untilEvents(data, 60);
  interrupted.child.kill("SIGINT");
  const { code, err } = await interrupted.ended;
  expect(code, err).toBe(130);
  expect(err).toMatch(/Stopped at 201\d-.*: run the import again/);

  const other = await refold([...args, "--capacity", "31"]);
  expect(other.code).toBe(8);
  const full = await refold([...args, "--capacity", "30"]);
  expect(full.code, full.err).toBe(0);
  expect(full.out).toMatch(/registrations were refused: the module was full/);
  const { http } = await startInstance(data);
  for (const code of someModules) {
    const { body } = await ask(`${http}/modules/${code}/availability`);
    expect(Number(body["confirmed"])).toBeLessThanOrEqual(30);
  }
});

test("abandoning releases the hold of an import that was killed", async () => {
  const data = join(await temporaryFolder(), "data");
  const files = await fewModules();
  const killed = new RefoldProcess(["import", "oulad", files, "--data", data]);
  await untilEvents(data, 60);
  process.kill((await readInstance(data))?.pid ?? 0, "SIGKILL");
  await killed.ended;
  const held = await refold(["status", "--data", data]);
  expect(held.out).toContain("held by the import oulad");
  const abandoned = await refold(["import", "oulad", "--abandon", "--data", data]);
  expect(abandoned).toMatchObject({ code: 0, err: "" });
  expect((await refold(["status", "--data", data])).out).not.toContain("held by");
});

/** Waits until the store of a folder, in use by another process, holds so many events. */
async function untilEvents(data: string, events: number): Promise<void> {
  const instance = await until(
    async () => {
      const found = await readInstance(data);
      return found?.databaseUrl === undefined ? undefined : found;
    },
    30_000,
    () => `an instance on ${data}`,
  );
  const client = new Client({ connectionString: instance.databaseUrl ?? "" });
  await client.connect();
  try {
    await until(
      async () => {
        const there = await client.query("select to_regclass('refold.events') is not null as yes");
        if (!(there.rows as { yes: boolean }[])[0]?.yes) return undefined;
        const { rowCount } = await client.query("select 1 from refold.events limit $1", [events]);
        return rowCount === events ? true : undefined;
      },
      60_000,
      () => `${events} events`,
    );
  } finally {
    await client.end();
  }
}
