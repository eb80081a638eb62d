import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryGenerations } from "../../engine/memory/generations.ts";
import { MemoryReadModelReader } from "../../engine/memory/read-model-reader.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { readModelStoreConformance } from "../conformance/read-model-store.ts";

readModelStoreConformance("in memory", async () => {
  const deadLetters = new MemoryDeadLetters();
  const store = new MemoryReadModelStore({ deadLetters, scanPageRows: 2 });
  const reader = new MemoryReadModelReader({ store });
  const generations = new MemoryGenerations({ store, clock: new ManualClock() });
  return { store, generations, reader, deadLetters, [Symbol.asyncDispose]: async () => undefined };
});
