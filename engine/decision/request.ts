import type { AppendRequest, ConditionItem, NewEvent } from "../ports/event-store.ts";
import type { Leases } from "../effects/wake-ups.ts";
import { alongsideOf } from "./alongside.ts";
import { factsOf, type Group } from "./group.ts";

/** What is to be appended for a group: whole, or not at all. */
export function requestOf(group: Group, leases: Leases): AppendRequest {
  const alongside = alongsideOf(group, leases);
  group.alongside = alongside;
  return {
    events: eventsOf(group),
    condition: conditionOf(group),
    time: group.time,
    ...(alongside === undefined ? {} : { alongside }),
  };
}

/** Nothing may have come to any of its models since they were decided on. */
export const conditionOf = (group: Group): ConditionItem[] =>
  Array.from(group.models, ([model, upTo]) => model.condition(upTo));

/** In the order in which they were decided. */
function eventsOf(group: Group): NewEvent[] {
  if (group.calls.every(({ traceparent }) => traceparent === undefined)) {
    return group.facts().map(({ newEvent }) => newEvent);
  }
  return group.inOrder().flatMap((call) =>
    factsOf(call).map(({ newEvent }) => ({
      ...newEvent,
      ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
    })),
  );
}
