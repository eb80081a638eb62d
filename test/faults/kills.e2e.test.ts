import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect, test } from "vitest";

import { readInstance } from "../../stack/data-folder/instance-file.ts";
import { startInstance, type Instance } from "../e2e/refold-instance.ts";
import { temporaryFolder, until } from "../e2e/refold-process.ts";
import { audit } from "./audit.ts";
import { Surge } from "./surge.ts";

const rounds = Number(process.env["REFOLD_ROUNDS"] ?? 5);

/** Runs the surge on an instance until `fault` has happened; clients are gone afterwards. */
async function surgeUntil(
  surge: Surge,
  instance: Instance,
  fault: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const running = surge.run(instance, stop.signal);
  const { accepted } = surge;
  await until(
    () => (surge.accepted > accepted + 100 ? true : undefined),
    20_000,
    () => "more registrations",
  );
  await delay(Math.random() * 300);
  await fault();
  stop.abort();
  await running;
}

async function killProgram(folder: string, { process: of }: Instance): Promise<void> {
  process.kill((await readInstance(folder))?.pid ?? 0, "SIGKILL");
  await of.ended;
}

test(
  `${rounds} kills of the whole process in the middle of a surge lose, double and oversell nothing`,
  async () => {
    const folder = join(await temporaryFolder(), "data");
    const surge = new Surge({ modules: 12, capacity: 20, clients: 24 });
    const first = await startInstance(folder);
    await surge.offer(first);
    await surgeUntil(surge, first, () => killProgram(folder, first));
    for (let round = 1; round < rounds; round += 1) {
      const instance = await startInstance(folder);
      await surgeUntil(surge, instance, () => killProgram(folder, instance));
    }
    const last = await startInstance(folder);
    const fold = await audit(last.database, surge);
    expect(fold.registrations.size).toBeGreaterThan(rounds * 100);
  },
  30_000 + rounds * 10_000,
);
