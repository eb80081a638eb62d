import { expect, test } from "vitest";

import { migrate } from "../../connectors/postgres/migrations.ts";
import { migrations, PostgresRegistryStore } from "../../connectors/registry/index.ts";
import { poolOfTest } from "../event-store/store.ts";
import { emptyRegistry } from "./empty-registry.ts";
import { registryRoutesOfTest } from "./routes.ts";
import { faultOf } from "./scenario.ts";
import { scenarioFiles } from "./scenario-files.ts";

/** Of each file: the rules are held to all of them in memory, here it is the storage that counts. */
const scenariosMax = 5;

test("the routes answer from Postgres as from memory", async () => {
  const pool = await poolOfTest(4);
  await migrate(pool, migrations);
  const call = await registryRoutesOfTest(new PostgresRegistryStore({ pool }));
  const faults: string[] = [];
  for (const { scenarios } of scenarioFiles()) {
    const every = Math.ceil(scenarios.length / scenariosMax);
    for (const scenario of scenarios.filter((_, index) => index % every === 0)) {
      await emptyRegistry(pool);
      const fault = await faultOf(scenario, call);
      if (fault !== undefined) faults.push(fault);
    }
  }
  expect(faults).toEqual([]);
});
