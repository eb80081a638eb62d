import { deleteNotices } from "../../connectors/postgres/event-store/index.ts";
import { systemClock } from "../system-clock.ts";
import type { Definitions } from "./definitions.ts";
import { keepHouse, type Housekeeping } from "./housekeeping.ts";
import type { Stores } from "./stores.ts";

const everyMs = 60_000;

/** Notices are deleted in steps, so that no statement holds its locks for long. */
const noticesMax = 50_000;

/**
 * Ends what has a time to end, records of topics with a retention and their notices, and unites the
 * small batches that live traffic leaves in the log.
 */
export function startHousekeeping(options: {
  readonly stores: Pick<Stores, "pool" | "embeddedLog" | "sweep">;
  readonly definitions: Pick<Definitions, "projections">;
  readonly report: (message: string) => void;
}): AsyncDisposable {
  const { pool, embeddedLog: log, sweep } = options.stores;
  return keepHouse({
    clock: systemClock,
    everyMs,
    report: options.report,
    chores: [
      ...(log === undefined ? [] : choresOf(log)),
      { name: "Removing old read models from Redis", run: sweep },
      ...noticeTopics(options.definitions).map(({ name: topic, retentionMs }) => ({
        name: `Retention of notices to ${topic}`,
        run: () =>
          deleteNotices(pool, {
            topic,
            recordedBeforeMs: systemClock.nowMs() - retentionMs,
            limit: noticesMax,
          }),
      })),
    ],
  });
}

/** Kafka's brokers do the same for their topics. */
function choresOf(log: NonNullable<Stores["embeddedLog"]>): Housekeeping["chores"] {
  return [
    { name: "Retention of the log", run: () => log.sweep(systemClock.nowMs()) },
    { name: "Uniting of the log's small batches", run: () => log.compact() },
  ];
}

/** Where projections put notices, and for how long these stay. */
function noticeTopics({
  projections,
}: Pick<Definitions, "projections">): { name: string; retentionMs: number }[] {
  const topics = new Map<string, number>();
  for (const { notify } of projections) {
    if (notify?.to.retentionMs !== undefined) topics.set(notify.to.name, notify.to.retentionMs);
  }
  return [...topics].map(([name, retentionMs]) => ({ name, retentionMs }));
}
