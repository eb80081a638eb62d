import { join } from "node:path";

import { Client } from "pg";
import { expect, test } from "vitest";

import { availability, ask, register, startInstance } from "../e2e/refold-instance.ts";
import { until } from "../e2e/refold-process.ts";
import { audit } from "./audit.ts";
import { SmallDisk } from "./small-disk.ts";
import { postmasterOf } from "./postmaster.ts";
import { during, untilAccepted, untilReady } from "./surge-on-instance.ts";
import { Surge } from "./surge.ts";

/** Below the reserve of a disk of this size, and above nothing. */
const diskMegabytes = 256;
const littleMegabytes = 20;

/** Writes with SQL until the server has no room for it, or has ended for want of it. */
async function writeUntilRefused(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query("create table if not exists public.filler (bytes bytea)");
    for (let piece = 0; piece < diskMegabytes; piece += 1) {
      await client.query("insert into public.filler select decode(repeat('ab', 500000), 'hex')");
    }
  } catch {
    return;
  } finally {
    await client.end().catch(() => undefined);
  }
  throw new Error(`${diskMegabytes} MB fitted on a full disk of as many.`);
}

/** Asks for what would never be given, so that the question changes nothing. */
async function refusedForStorage(http: string): Promise<true | undefined> {
  const { status, body } = await register(http, "nowhere", "nobody");
  return status === 503 && body["code"] === "storage-full" ? true : undefined;
}

test("a full disk refuses commands and nothing else, and everything goes on when there is room", async () => {
  const disk = await SmallDisk.mount(diskMegabytes);
  if (disk === undefined) {
    // Nothing was tested: that may pass on somebody's machine, and nowhere else.
    expect(process.env["CI"], "This account may not mount, so no disk can be filled.").toBe(
      undefined,
    );
    return;
  }
  const folder = join(disk.folder, "data");
  const instance = await startInstance(folder);
  const { http, database } = instance;
  const surge = new Surge({ modules: 12, capacity: 20, clients: 16 });
  await surge.offer(instance);
  await during(surge, instance, async () => {
    await disk.fillTo(littleMegabytes);
    await until(
      () => refusedForStorage(http),
      10_000,
      () => "commands refused: storage-full",
    );
    expect((await ask(`${http}/livez`)).status).toBe(200);
    expect((await ask(`${http}/readyz`)).body["detail"]).toContain("disk is full");
    expect((await availability(http, "M-0")).status).toBe(200);
    await disk.clear();
    await untilAccepted(surge, instance);

    // Now somebody else takes the last byte, and the server meets it in the middle of a write.
    await disk.fillTo(0);
    await writeUntilRefused(database);
    await until(
      () => refusedForStorage(http),
      10_000,
      () => "commands refused: storage-full",
    );
    // It ends as well: without room it couldn't start, so the start waits.
    process.kill(await postmasterOf(folder), "SIGKILL");
    await until(
      () => (instance.process.err.includes("has ended") ? true : undefined),
      10_000,
      () => "the end of the server noticed",
    );
    expect((await ask(`${http}/livez`)).status).toBe(200);
    expect(instance.process.err).not.toContain("runs again");
    await disk.clear();
    await untilAccepted(surge, instance);
  });
  await untilReady(instance);
  await audit(instance, surge);
  expect(instance.process.isRunning).toBe(true);
  expect(surge.answers.counts.get("503 storage-full")).toBeGreaterThan(0);
});
