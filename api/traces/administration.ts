import type { RowStory, StoryAsk } from "../../engine/history/row-story.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import type { Trace } from "../../engine/tracing/trace.ts";

/** What business transactions, and the rows that came of them, are told from. */
export interface TraceAdministration {
  /** undefined: the id names nothing. Throws what `traceOf` does. */
  trace(id: string, eventsMax: number): Promise<Trace | undefined>;
  /** Throws what `rowStory` does. */
  why(projection: AnyProjection, ask: StoryAsk): Promise<RowStory>;
  readonly projections: readonly AnyProjection[];
}
