import type { TraceAdministration } from "../../api/traces/administration.ts";
import { rowStory } from "../../engine/history/row-story.ts";
import { MemoryReadModelReader } from "../../engine/memory/read-model-reader.ts";
import { happened } from "../../engine/testing/given.ts";
import { defaultTransactionLimits, traceOf } from "../../engine/tracing/index.ts";
import { board, counters, Moved, notes, Opened } from "../engine/seats.ts";
import { PastWorld, taggedBoard } from "../history/past-world.ts";

/** A little past, of which transactions and rows can be told: the counter `a`, opened and moved. */
export async function tracesOfTest(): Promise<TraceAdministration> {
  const world = await PastWorld.open();
  await world.happen(happened(Opened, { code: "a", size: 3 }));
  world.clock.advance(1_000);
  await world.happen(happened(Moved, { code: "a", by: 2 }));
  await world.publish();
  const projections = [taggedBoard, board];
  for (const projection of projections) await world.follow(projection);
  world.clock.advance(60_000);
  const { codec, eventStore } = world;
  const reader = new MemoryReadModelReader({ store: world.store });
  const topics = [counters, notes];
  const sources = { codec, eventStore, reader, projections, topics, kinds: ["code"] };
  const story = { ...world.source, reader, captureGraceMs: 5_000 };
  return {
    trace: (id, eventsMax) => traceOf(sources, id, { ...defaultTransactionLimits, eventsMax }),
    why: (projection, ask) => rowStory(story, projection, ask),
    projections,
  };
}
