import { expect } from "vitest";

import type { EventStore, StoredEvent } from "../../engine/ports/event-store.ts";
import { parseTraceparent } from "../../engine/tracing/trace-context.ts";
import { wayOfAnOrder } from "./workflow.ts";

/** The event that ends an order's way. */
export async function isPraised(eventStore: Pick<EventStore, "read">): Promise<boolean> {
  return (await allEvents(eventStore)).some(({ type }) => type === "way.Praised");
}

export async function allEvents(eventStore: Pick<EventStore, "read">): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const page of eventStore.read({})) events.push(...page);
  return events;
}

/** All events of an order share one trace, and each but the first has its cause among the others. */
export function expectOneTree(
  events: readonly StoredEvent[],
  of: { readonly correlationId: string; readonly causationId: string; readonly traceId: string },
): void {
  const byId = new Map(events.map((event) => [event.id, event]));
  const causes = events.map(({ type, causationId = "none" }) => {
    const cause = byId.get(causationId)?.type.replace("way.", "");
    return [type.replace("way.", ""), cause ?? (causationId === of.causationId && "the request")];
  });
  expect(causes).toEqual(wayOfAnOrder);
  const contexts = events.map(({ traceparent = "" }) => parseTraceparent(traceparent));
  expect(new Set(contexts.map((context) => context?.traceId))).toEqual(new Set([of.traceId]));
  expect(new Set(contexts.map((context) => context?.spanId)).size).toBe(events.length);
  expect(new Set(events.map((event) => event.correlationId))).toEqual(new Set([of.correlationId]));
}
