import type { Clock } from "../../engine/ports/clock.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { eventStoreConformance } from "../conformance/event-store.ts";

eventStoreConformance("in memory", async () => {
  const clock: Clock = new ManualClock();
  const store = new MemoryEventStore({ clock });
  return { store, hold: store.hold };
});
