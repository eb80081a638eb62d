import type { Clock } from "../ports/clock.ts";
import type { Tracer } from "../ports/tracing.ts";
import type { TaskStore } from "../task/batch.ts";
import { ContextsOfRecords } from "./record-contexts.ts";
import { TracedStore } from "./traced-store.ts";

/** Links of one batch's span: the contexts of more records than these aren't told. */
const linksMax = 128;

/** What a task needs so that its batches are told of: its store as it is, where nobody records. */
export function tracedTask(of: {
  readonly consumer: string;
  readonly store: TaskStore;
  readonly tracer: Tracer | undefined;
  readonly clock: Clock;
}): { readonly store: TaskStore; readonly contexts?: ContextsOfRecords } {
  const { tracer, store, consumer, clock } = of;
  if (tracer?.records !== true) return { store };
  const contexts = new ContextsOfRecords({ most: linksMax, nowMs: () => clock.nowMs() });
  return { store: new TracedStore({ consumer, store, tracer, contexts }), contexts };
}
