import { type Arbitrary, array, constantFrom, nat, option, record, subarray } from "fast-check";

import type { AppendRequest, ConditionItem } from "../../engine/ports/event-store.ts";
import { globalPosition } from "../../engine/position.ts";
import { event } from "./events.ts";

const tags = ["a:1", "a:2", "b:1", "b:2"];
const types = ["A", "B"];

/** Few ids, so that some come twice; a retried id is always the whole request again. */
export interface RandomRequest {
  readonly repeats: number | undefined;
  readonly events: readonly { type: string; tags: string[]; partition: number }[];
  readonly condition: readonly { tags: string[]; types: string[] | undefined; back: number }[];
}

export const randomRequest: Arbitrary<RandomRequest> = record({
  repeats: option(nat(20), { nil: undefined, freq: 8 }),
  events: array(
    record({
      type: constantFrom(...types),
      tags: subarray(tags),
      partition: nat(2),
    }),
    { maxLength: 3 },
  ),
  condition: array(
    record({
      tags: subarray(tags, { maxLength: 2 }),
      types: option(subarray(types, { minLength: 1 }), { nil: undefined }),
      back: nat(6),
    }),
    { maxLength: 2 },
  ),
});

/** Requests as they are sent; `after` counts back from the events made so far. */
export function requestsOf(randoms: readonly RandomRequest[]): AppendRequest[] {
  const made: AppendRequest[] = [];
  let head = 0;
  for (const random of randoms) {
    const repeated = random.repeats === undefined ? undefined : made[random.repeats];
    if (repeated) {
      made.push(repeated);
      continue;
    }
    const condition = random.condition.map((item): ConditionItem => {
      const after = globalPosition(Math.max(0, head - item.back));
      const some = item.types ? { types: item.types } : {};
      return { tags: item.tags, ...some, after };
    });
    const events = random.events.map(({ type, tags, partition }) =>
      event(type, tags, { partition }),
    );
    head += events.length;
    made.push({ events, condition });
  }
  return made;
}
