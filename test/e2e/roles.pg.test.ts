import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { databaseOfTest } from "../support/database.ts";
import { ask } from "./refold-instance.ts";
import { refold, RefoldProcess, until } from "./refold-process.ts";

interface Told {
  readonly consumer: string;
  readonly state: string;
}

/** A process of one role; its health and metrics are at the URL. */
async function roleOfTest(databaseUrl: string, args: readonly string[]) {
  const process = new RefoldProcess(args, { DATABASE_URL: databaseUrl });
  onTestFinished(async () => {
    process.child.kill("SIGKILL");
    await process.ended;
  });
  const [, url = ""] = await process.printed(/(http:\/\/127\.0\.0\.1:\d+)/);
  return { process, url };
}

/** Waits until `/readyz` says yes. */
const ready = (url: string): Promise<readonly Told[]> =>
  until(
    async () => {
      const { status, body } = await ask(`${url}/readyz`);
      return status === 200 ? (body["consumers"] as Told[]) : undefined;
    },
    30_000,
    () => `${url} ready`,
  );

const metricsOf = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text();

async function takenPort(): Promise<string> {
  const stranger = createServer();
  stranger.listen(0, "127.0.0.1");
  await once(stranger, "listening");
  onTestFinished(() => void stranger.close());
  return String((stranger.address() as AddressInfo).port);
}

test("each role tells its health and metrics on a port of its own, and stops being ready when it ends", async () => {
  const databaseUrl = await databaseOfTest();
  const capture = await roleOfTest(databaseUrl, ["capture"]);
  const workers = await Promise.all([1, 2].map(() => roleOfTest(databaseUrl, ["worker"])));
  const api = await roleOfTest(databaseUrl, ["api", "--port", "0"]);
  const urls = [capture, api, ...workers].map(({ url }) => url);
  expect([...new Set(urls)], "each its own").toEqual(urls);

  expect(await ready(capture.url)).toMatchObject([{ consumer: "capture", state: "running" }]);
  for (const { url } of [...workers, api]) {
    const consumers = await ready(url);
    expect(consumers.map(({ consumer }) => consumer)).toContain("seat-availability");
    expect(consumers.every(({ state }) => state === "running")).toBe(true);
  }
  expect(await metricsOf(capture.url)).toContain("refold_capture_");
  const owned = await Promise.all(
    workers.map(async ({ url }) => {
      const running = /refold_partitions{consumer="seat-availability",state="running"} (\d+)/;
      return Number(running.exec(await metricsOf(url))?.[1]);
    }),
  );
  expect((owned[0] ?? 0) + (owned[1] ?? 0)).toBe(10);

  const [leaver, stayer] = workers;
  leaver?.process.child.kill("SIGTERM");
  expect(await leaver?.process.ended).toMatchObject({ code: 0, err: "" });
  await expect(fetch(`${leaver?.url}/livez`)).rejects.toThrow();
  await ready(stayer?.url ?? "");
});

async function slotsIn(connectionString: string): Promise<string[]> {
  const client = new Client({ connectionString });
  onTestFinished(() => client.end());
  await client.connect();
  const { rows } = await client.query<{ slot_name: string }>(
    "select slot_name from pg_replication_slots where database = current_database()",
  );
  return rows.map(({ slot_name }) => slot_name);
}

test("a port that was asked for and is taken is told with exit code 3, an address that isn't here with 2, before anything starts", async () => {
  const databaseUrl = await databaseOfTest();
  const environment = { DATABASE_URL: databaseUrl };
  const port = await takenPort();
  const [taken, elsewhere] = await Promise.all([
    refold(["worker", "--port", port], environment),
    refold(["capture", "--port", "0", "--host", "192.0.2.7"], environment),
  ]);
  expect(taken.code).toBe(3);
  expect(taken.err).toMatch(new RegExp(`^refold: Port ${port} on 127.0.0.1 is taken: .*--port`));
  expect(elsewhere.code).toBe(2);
  expect(elsewhere.err).toContain("no address 192.0.2.7");
  expect(await slotsIn(databaseUrl)).toEqual([]);
});
