import type { Deadline, DeadlineChange } from "../../../engine/ports/deadlines.ts";
import { int8ArrayOfNumbers, textArray } from "../binary-array.ts";
import { arrayLiteral } from "../event-store/append-call.ts";
import type { FunctionCall } from "../function-call.ts";

const types = "text text text text bigint text text text text".split(" ").map((of) => `${of}[]`);

/** Sets and cancels, the last change of each counting; undefined where there are none. */
export function changeDeadlines(changes: readonly DeadlineChange[]): FunctionCall | undefined {
  if (changes.length === 0) return undefined;
  const last = new Map(changes.map((one) => [JSON.stringify([one.name, one.key]), one]));
  const changed = [...last.values()].sort(inStoredOrder);
  const cancelled = changed.filter((one) => one.change === "cancel");
  const set: readonly Deadline[] = changed.filter((one) => one.change === "set");
  return {
    name: "refold.change_deadlines",
    types,
    values: [
      textArray(cancelled.map(({ name }) => name)),
      textArray(cancelled.map(({ key }) => key)),
      textArray(set.map(({ name }) => name)),
      textArray(set.map(({ key }) => key)),
      int8ArrayOfNumbers(set.map(({ atMs }) => atMs)),
      textArray(set.map(({ tags }) => arrayLiteral(tags))),
      textArray(set.map(({ correlationId }) => correlationId)),
      textArray(set.map(({ causationId }) => causationId)),
      textArray(set.map(({ traceparent }) => traceparent)),
    ],
  };
}

/** As the store's collation "C" has them, so that all lock rows in one order. */
const inStoredOrder = (one: DeadlineChange, other: DeadlineChange): number =>
  bytewise(one.name, other.name) || bytewise(one.key, other.key);

const bytewise = (one: string, other: string): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));
