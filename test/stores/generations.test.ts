import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryComparisons } from "../../engine/memory/comparisons.ts";
import { MemoryGenerations } from "../../engine/memory/generations.ts";
import { MemoryReadModelReader } from "../../engine/memory/read-model-reader.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRebuilds } from "../../engine/memory/rebuilds.ts";
import { MemorySnapshots } from "../../engine/memory/snapshots.ts";
import { comparisonsConformance } from "../conformance/comparisons.ts";
import { generationsConformance } from "../conformance/generations.ts";
import type { GenerationsSubject } from "../conformance/generations-subject.ts";
import { rebuildsConformance } from "../conformance/rebuilds.ts";
import { snapshotsConformance } from "../conformance/snapshots.ts";

async function inMemory(): Promise<GenerationsSubject> {
  const clock = new ManualClock();
  const store = new MemoryReadModelStore();
  const snapshots = new MemorySnapshots({ store, clock, pageRows: 2 });
  const generations = new MemoryGenerations({ store, clock, snapshots });
  return {
    store,
    reader: new MemoryReadModelReader({ store }),
    generations,
    rebuilds: new MemoryRebuilds({ generations, clock }),
    snapshots,
    comparisons: new MemoryComparisons({ store, pageRows: 2 }),
    pass: async (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

generationsConformance("in memory", inMemory);
rebuildsConformance("in memory", inMemory);
snapshotsConformance("in memory", inMemory);
comparisonsConformance("in memory", inMemory);
