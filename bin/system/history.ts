import { defaultHistoryLimits, History } from "../../engine/history/past-reader.ts";
import type { StoryOptions } from "../../engine/history/row-story.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import type { Stores } from "./stores.ts";

/** What the story of one row is told from. */
export const storySources = (stores: Stores): StoryOptions => ({
  ...stores,
  clock: systemClock,
  random: new SystemRandom(),
  captureGraceMs: defaultHistoryLimits.captureGraceMs,
});

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
