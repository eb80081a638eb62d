import type { Clock } from "../ports/clock.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { StatusBoard } from "../ports/status-board.ts";

/** Kept generations are told of under a name of their own, after a sign that no definition has. */
const definitionOf = (consumer: string): string | undefined => consumer.split("~")[0];

/** Of partitions that a task has: it will stand still when it is asked to. */
const heldStates: readonly string[] = ["assigned", "running", "draining", "halted"];

/**
 * Tells from the processes' own reports whether a generation is kept current by anybody. Nothing
 * depends on its being right: who is taken for dead and isn't meets a fence or a swap's condition,
 * and who is taken for alive and isn't doesn't answer to a hold.
 */
export function workedOnByBoard(options: {
  readonly board: Pick<StatusBoard, "read">;
  readonly clock: Pick<Clock, "nowMs">;
  /** A process that hasn't reported for so long is taken for dead. */
  readonly silentMs: number;
}): (of: Pick<Generation, "projection" | "generation">) => Promise<boolean> {
  const { board, clock, silentMs } = options;
  return async ({ projection, generation }) =>
    (await board.read()).some(
      (entry) =>
        entry.kind === "projection" &&
        definitionOf(entry.consumer) === projection &&
        entry.generation === generation &&
        heldStates.includes(entry.state) &&
        clock.nowMs() - entry.reportedAtMs < silentMs,
    );
}
