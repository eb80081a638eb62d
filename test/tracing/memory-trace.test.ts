import { expect, test } from "vitest";

import type { Trace } from "../../engine/tracing/index.ts";
import { traceOf } from "../../engine/tracing/index.ts";
import { until } from "../engine/process.ts";
import { MemorySystem } from "./memory-system.ts";
import { allEvents, expectOneTree, isPraised } from "./whole-trace.ts";
import { news, orders, parcels, place, progress } from "./workflow.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const origin = {
  correlationId: "rush-7",
  causationId: "POST /orders 1",
  traceparent: `00-${traceId}-b7ad6b7169203331-01`,
};

async function wentAllTheWay(): Promise<MemorySystem> {
  const system = new MemorySystem();
  await system.start();
  await system.decider.execute(place({ order: "a" }), origin);
  await until("it is praised", () => isPraised(system.eventStore));
  await until("the row is there", async () => {
    const { result } = await system.reader.get(progress.name, "a");
    return result?.["isPraised"] === true;
  });
  return system;
}

const traced = (system: MemorySystem, id: string): Promise<Trace | undefined> => {
  const { eventStore, codec, reader, effects, deadlines, deadLetters } = system;
  const sources = { eventStore, codec, reader, effects, deadlines, deadLetters };
  const definitions = { projections: [progress], topics: [orders, parcels, news] };
  return traceOf({ ...sources, ...definitions, kinds: ["order"] }, id);
};

test("a long workflow is one trace, and a tree by causation", async () => {
  const system = await wentAllTheWay();
  expectOneTree(await allEvents(system.eventStore), { ...origin, traceId });
});

test("is told whole by each of its ids, each line below what caused it", async () => {
  const system = await wentAllTheWay();
  const events = await allEvents(system.eventStore);
  const ids = ["rush-7", "a", "order:a", events[3]?.id ?? ""];
  const [first, ...others] = await Promise.all(ids.map((id) => traced(system, id)));
  for (const other of others) expect(other).toEqual({ ...first, id: other?.id });
  expect(first).toMatchObject({
    correlationIds: ["rush-7"],
    tags: ["order:a"],
    traceIds: [traceId],
    events: 5,
    cut: false,
  });
  const told = first?.timeline.map((entry) => {
    if (entry.kind === "event") return [entry.depth, entry.event.name];
    if (entry.kind === "effect") return [entry.depth, `charge ${entry.step}`];
    return [entry.depth, entry.kind === "cause" ? entry.text : entry.kind];
  });
  expect(told?.filter(([, what]) => !String(what).startsWith("charge"))).toEqual([
    [0, "POST /orders 1"],
    [1, "Ordered"],
    [2, "Charged"],
    [3, "Shipped"],
    [4, "Asked"],
    [5, "Praised"],
  ]);
  expect(told).toContainEqual([2, "charge requested"]);
  expect(told).toContainEqual([2, "charge done"]);
  const rows = first?.timeline.flatMap((entry) => (entry.kind === "event" ? entry.rows : []));
  expect(rows).toEqual(
    Array.from({ length: 3 }, () => ({ projection: progress.name, key: "a", state: "applied" })),
  );
});

test("an id that nothing has to do with is told as none", async () => {
  const system = new MemorySystem();
  expect(await traced(system, "nobody")).toBeUndefined();
});
