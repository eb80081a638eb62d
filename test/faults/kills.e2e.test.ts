import { join } from "node:path";

import { expect, test } from "vitest";

import { readInstance } from "../../stack/data-folder/instance-file.ts";
import { startInstance, type Instance } from "../e2e/refold-instance.ts";
import { temporaryFolder } from "../e2e/refold-process.ts";
import { audit } from "./audit.ts";
import { postmasterOf } from "./postmaster.ts";
import { during } from "./surge-on-instance.ts";
import { Surge } from "./surge.ts";

const rounds = Number(process.env["REFOLD_ROUNDS"] ?? 5);

async function killProgram(folder: string, { process: of }: Instance): Promise<void> {
  process.kill((await readInstance(folder))?.pid ?? 0, "SIGKILL");
  await of.ended;
}

/** Program and database at once: what was not on the disk is gone. */
async function powerOff(folder: string, instance: Instance): Promise<void> {
  process.kill(await postmasterOf(folder), "SIGQUIT");
  await killProgram(folder, instance);
}

test(
  `${rounds} kills of the whole process in the middle of a surge lose, double and oversell nothing`,
  async () => {
    const folder = join(await temporaryFolder(), "data");
    const surge = new Surge({ modules: 12, capacity: 20, clients: 24 });
    for (let round = 0; round < rounds; round += 1) {
      const instance = await startInstance(folder);
      if (round === 0) await surge.offer(instance);
      // Each third time the database goes with the program.
      const fault = round % 3 === 2 ? powerOff : killProgram;
      await during(surge, instance, () => fault(folder, instance));
    }
    const last = await startInstance(folder);
    const { registrations } = await audit(last, surge);
    expect(registrations.size).toBeGreaterThan(rounds * 100);
  },
  30_000 + rounds * 15_000,
);
