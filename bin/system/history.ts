import { defaultHistoryLimits, History } from "../../engine/history/past-reader.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import type { Stores } from "./stores.ts";

/** The past of projections, out of the log, the event store and kept snapshots. */
export function openHistory(
  { log, codec, eventStore, snapshots, deadLetters }: Stores,
  projections: readonly AnyProjection[],
  limits: Partial<Record<keyof typeof defaultHistoryLimits, number>> = {},
): History {
  return new History({
    log,
    codec,
    eventStore,
    snapshots,
    deadLetters,
    projections,
    clock: systemClock,
    random: new SystemRandom(),
    ...defaultHistoryLimits,
    ...limits,
  });
}
