import type { Deadline, DeadlineChange } from "../../../engine/ports/deadlines.ts";
import { int4Array, int8ArrayOfNumbers, textArray } from "../binary-array.ts";
import { arrayLiteral } from "../event-store/append-call.ts";
import type { Brought } from "../event-store/brought.ts";
import type { FunctionCall } from "../function-call.ts";

const types = "text text bigint text text text text integer".split(" ").map((of) => `${of}[]`);

/** Sets and cancels, the last that counts of each name and key; undefined where there are none. */
export function changeDeadlines(
  changes: readonly Brought<DeadlineChange>[],
): FunctionCall | undefined {
  if (changes.length === 0) return undefined;
  const set = changes.map(({ part }): Partial<Deadline> => (part.change === "set" ? part : {}));
  return {
    name: "refold.change_deadlines",
    types,
    values: [
      textArray(changes.map(({ part }) => part.name)),
      textArray(changes.map(({ part }) => part.key)),
      int8ArrayOfNumbers(set.map(({ atMs }) => atMs)),
      textArray(set.map(({ tags }) => tags && arrayLiteral(tags))),
      textArray(set.map(({ correlationId }) => correlationId)),
      textArray(set.map(({ causationId }) => causationId)),
      textArray(set.map(({ traceparent }) => traceparent)),
      int4Array(changes.map(({ request }) => request)),
    ],
  };
}
