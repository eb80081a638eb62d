import { expect, test } from "vitest";

import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import { registryRoutesOfTest } from "./routes.ts";
import { faultOf } from "./scenario.ts";
import { scenarioFiles } from "./scenario-files.ts";
import { SwappedStore } from "./swapped-store.ts";

for (const { name, scenarios } of scenarioFiles()) {
  test(`the routes answer as Confluent's do: ${name}`, async () => {
    const store = new SwappedStore(new MemoryRegistryStore());
    const call = await registryRoutesOfTest(store);
    const faults: string[] = [];
    for (const scenario of scenarios) {
      store.swap(new MemoryRegistryStore());
      const fault = await faultOf(scenario, call);
      if (fault !== undefined) faults.push(fault);
    }
    expect(faults).toEqual([]);
    expect(scenarios.length).toBeGreaterThan(0);
  });
}
