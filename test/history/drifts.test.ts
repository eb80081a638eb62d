import { MemoryDrifts } from "../../engine/memory/drifts.ts";
import { driftsConformance } from "../conformance/drifts.ts";
import { PastWorld } from "./past-world.ts";

driftsConformance("in memory", async () => {
  const { clock, generations, store } = await PastWorld.open();
  const drifts = new MemoryDrifts({ clock, generations, keysMax: 3 });
  return { drifts, store, [Symbol.asyncDispose]: async () => undefined };
});
