import type { Load } from "../dependencies.ts";
import type { SheddingBounds } from "../options.ts";
import { type Problem, retryAfter } from "../problem.ts";

/** What a request costs to give up: a read can be repeated at leisure, a command is what counts. */
export type Worth = "read" | "command";

/** Why a request of this worth is refused under this load; undefined: it is not. */
export function shedding(worth: Worth, load: Load, bounds: SheddingBounds): Problem | undefined {
  const most = thresholds[worth](bounds);
  if (load.loopDelayMs > most.loopDelayMs) {
    return overloaded(worth, `its event loop is ${Math.round(load.loopDelayMs)} ms late`);
  }
  if (load.backlogAgeMs > most.backlogAgeMs) {
    return overloaded(worth, `a command has waited for ${Math.round(load.backlogAgeMs)} ms`);
  }
  if (load.backlog > most.backlog) {
    return overloaded(worth, `${load.backlog} commands wait to be appended`);
  }
  return undefined;
}

const thresholds: Readonly<Record<Worth, (bounds: SheddingBounds) => Load>> = {
  read: (bounds) => ({
    loopDelayMs: bounds.readLoopDelayMaxMs,
    backlogAgeMs: bounds.readBacklogAgeMaxMs,
    backlog: bounds.readBacklogMax,
  }),
  command: (bounds) => ({
    loopDelayMs: bounds.commandLoopDelayMaxMs,
    backlogAgeMs: bounds.commandBacklogAgeMaxMs,
    backlog: bounds.commandBacklogMax,
  }),
};

const overloaded = (worth: Worth, why: string): Problem => ({
  status: 503,
  code: "overloaded",
  detail: `The server is behind: ${why}. It takes no more ${worth}s for now; try again in a moment.`,
  headers: retryAfter(worth === "read" ? 2 : 1),
});
