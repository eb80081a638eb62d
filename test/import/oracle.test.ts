import { expect, test } from "vitest";

import { readOuladFiles } from "../../bin/import/oulad-files.ts";
import { planImport } from "../../bin/import/oulad-plan.ts";
import { temporaryFolder } from "../e2e/refold-process.ts";
import { endOfTime, Oracle } from "./oracle.ts";
import { hasRealFiles, realFolder, writeSample } from "./sample.ts";

test("the plan and a plain script agree on every count and on the seats taken at the end", async () => {
  const folder = hasRealFiles ? realFolder : await temporaryFolder();
  if (!hasRealFiles) {
    await writeSample(folder, { modules: ["AAA-2013J", "BBB-2014B"], studentsPerModule: 60 });
  }
  const oracle = new Oracle(folder);
  const plan = planImport(await readOuladFiles(folder));
  expect(plan.registrations).toBe(oracle.registrations);
  expect(plan.withdrawals).toBe(oracle.withdrawals);
  expect(plan.offeredAtMs).toBe(oracle.offeredAt);
  const taken = [...oracle.at(endOfTime).values()].reduce((all, seats) => all + seats.confirmed, 0);
  expect(taken).toBe(plan.registrations - plan.withdrawals);
  if (hasRealFiles) expect(taken).toBe(22_515);
});
