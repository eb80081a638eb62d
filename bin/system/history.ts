import { defaultHistoryLimits, History } from "../../engine/history/past-reader.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import { application } from "./definitions.ts";
import type { Stores } from "./stores.ts";

/** The past of the application's projections. */
export function openHistory(stores: Stores): History {
  const { log, codec, eventStore, deadLetters } = stores;
  return new History({
    log,
    codec,
    eventStore,
    deadLetters,
    clock: systemClock,
    random: new SystemRandom(),
    projections: application.projections,
    ...defaultHistoryLimits,
  });
}
