import { deleteNotices } from "../../connectors/postgres/event-store/index.ts";
import type { IdempotencyKeys } from "../../engine/ports/idempotency-keys.ts";
import { systemClock } from "../system-clock.ts";
import type { Definitions } from "./definitions.ts";
import { keepHouse, type Housekeeping } from "./housekeeping.ts";
import type { Stores } from "./stores.ts";

const everyMs = 60_000;

/** Notices are deleted in steps, so that no statement holds its locks for long. */
const noticesMax = 50_000;

/** For how long a client may send a command again and get its first answer. */
const answersKeptDefaultMs = 24 * 60 * 60 * 1_000;
const answersMax = 50_000;

/**
 * Ends what has a time to end, records of topics with a retention and their notices, answers kept
 * under clients' keys, and unites the small batches that live traffic leaves in the log. Effects are
 * kept for ever: that a key is known is what keeps its effect from happening twice.
 */
export function startHousekeeping(options: {
  readonly stores: Pick<Stores, "pool" | "embeddedLog" | "sweep"> & {
    readonly idempotencyKeys: Pick<IdempotencyKeys, "purge">;
  };
  readonly definitions: Pick<Definitions, "projections">;
  /** Age at which answers under clients' keys are forgotten (default 24 h). */
  readonly answersKeptMs?: number;
  readonly report: (message: string) => void;
}): AsyncDisposable {
  const { pool, embeddedLog: log, sweep, idempotencyKeys } = options.stores;
  const { answersKeptMs = answersKeptDefaultMs } = options;
  return keepHouse({
    clock: systemClock,
    everyMs,
    report: options.report,
    chores: [
      ...(log === undefined ? [] : choresOf(log)),
      { name: "Removing old read models from Redis", run: sweep },
      {
        name: "Forgetting of answers under clients' keys",
        run: () =>
          idempotencyKeys.purge({
            beforeMs: systemClock.nowMs() - answersKeptMs,
            limit: answersMax,
          }),
      },
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
