import { invariant } from "../errors.ts";
import type { TaskState } from "../ports/status-board.ts";

/**
 * What may follow what, for one partition of a task.
 *
 * ```
 *   created ── assigned ── running ── draining ── stopped
 *                 │           │           │
 *                 └───────────┴───────────┴── fenced | halted ── assigned (again), stopped
 * ```
 */
export const transitions: Readonly<Record<TaskState, readonly TaskState[]>> = {
  created: ["assigned", "stopped"],
  assigned: ["running", "draining", "fenced", "halted", "stopped"],
  running: ["draining", "fenced", "halted"],
  draining: ["stopped", "fenced", "halted"],
  fenced: ["assigned", "stopped"],
  halted: ["fenced", "stopped", "draining"],
  stopped: ["assigned"],
};

/** @throws InvariantViolation for a step that the table doesn't have. */
export function assertTransition(from: TaskState, to: TaskState, of: string): void {
  invariant(transitions[from].includes(to), `${of} went from ${from} to ${to}, which nothing may.`);
}
