import type { Task } from "../task/task.ts";
import type { Consumer } from "./consumer.ts";
import type { Duty } from "./role-metrics.ts";

/** A consumer at work, and what it works on. */
export interface LiveConsumer {
  readonly consumer: Consumer;
  readonly task: Task;
  readonly kind: "projection" | "processor";
  /** Of the read model; undefined for a processor. */
  readonly generation: number | undefined;
  readonly topics: readonly string[];
  readonly duty: Duty;
  /** The consumer whose generation served before: this one's began no further back. */
  after: LiveConsumer | undefined;
}

/**
 * Names the assignment's group of a generation. The first one has the definition's own name, which
 * it had before there were others: processes that know nothing of generations share it.
 */
export const groupOf = (name: string, generation: number | undefined): string =>
  generation === undefined || generation === 1 ? name : `${name}~g${generation}`;

/**
 * The name under which a consumer is told of among all: its definition's, where it serves, or stands
 * in for one that serves and has not taken anything over yet.
 */
export function toldAs(
  live: Pick<LiveConsumer, "generation" | "duty"> & { readonly task: Pick<Task, "name"> },
  all: Iterable<
    Pick<LiveConsumer, "duty"> & {
      readonly consumer: Pick<Consumer, "arrived">;
      readonly after: unknown;
    }
  >,
): string {
  if (live.duty.role === "serving") return live.task.name;
  for (const { duty, consumer, after } of all) {
    if (after === live && duty.role === "serving" && !consumer.arrived) return live.task.name;
  }
  return `${live.task.name}~g${live.generation ?? 0}`;
}

/** Was it told as a generation that is only kept? Whoever follows what serves leaves it out. */
export const isToldAsKept = (consumer: string): boolean => consumer.includes("~");
