import type { AppendRequest } from "../ports/event-store.ts";
import { alongsideOf } from "./alongside.ts";
import type { Group } from "./group.ts";

/** What is to be appended for a group: whole, or not at all. */
export function requestOf(group: Group): AppendRequest {
  const alongside = alongsideOf(group);
  return {
    events: group.facts().map((placed) => placed.newEvent),
    condition: [...group.models].map((model) => model.condition()),
    time: group.time,
    ...(alongside === undefined ? {} : { alongside }),
  };
}
