import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { publishedCases } from "./vectors.ts";

publishedCases(async () => new MemoryEventStore({ clock: new ManualClock() }));
