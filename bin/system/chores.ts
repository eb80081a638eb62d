import { deleteNotices } from "../../connectors/postgres/event-store/index.ts";
import { registrationUpdates } from "../../schemas/topics.ts";
import { systemClock } from "../system-clock.ts";
import { keepHouse } from "./housekeeping.ts";
import type { Stores } from "./stores.ts";

const everyMs = 60_000;

/** Notices are deleted in steps, so that no statement holds its locks for long. */
const noticesMax = 50_000;

/**
 * Ends what has a time to end, records of topics with a retention and their notices, and unites the
 * small batches that live traffic leaves in the log.
 */
export function startHousekeeping(options: {
  readonly stores: Pick<Stores, "pool" | "log">;
  readonly report: (message: string) => void;
}): AsyncDisposable {
  const { pool, log } = options.stores;
  return keepHouse({
    clock: systemClock,
    everyMs,
    report: options.report,
    chores: [
      { name: "Retention of the log", run: () => log.sweep(systemClock.nowMs()) },
      { name: "Uniting of the log's small batches", run: () => log.compact() },
      {
        name: "Retention of notices",
        run: () =>
          deleteNotices(pool, {
            topic: registrationUpdates.name,
            recordedBeforeMs: systemClock.nowMs() - registrationUpdates.retentionMs,
            limit: noticesMax,
          }),
      },
    ],
  });
}
