import type { Pool } from "pg";

import {
  EmbeddedCapture,
  LogCaptureSink,
  PostgresCaptureSink,
  type CaptureOptions,
} from "../../connectors/capture/index.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { TaskReport } from "../../engine/ports/status-board.ts";
import { offset } from "../../engine/position.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import type { Definitions } from "./definitions.ts";
import { CaptureLag } from "./capture-lag.ts";
import { keepHouse } from "./housekeeping.ts";
import { instanceName } from "./instance.ts";
import { outageBackoff } from "./outages.ts";
import type { Stores } from "./stores.ts";

const reportEveryMs = 1_000;

/** Beside the tasks of the same process, which report for themselves. */
const boardName = `${instanceName}/capture`;

/** Publishing has connections of its own: it never waits behind the statements of requests. */
const sinkConnectionsMax = 2;

export interface CapturePart {
  readonly definitions: Definitions;
  readonly stores: Stores;
  readonly url: string;
  readonly metrics: Metrics;
  readonly report: (message: string) => void;
}

/** What is captured, and how; `pool` is the publishing's own. */
export function captureOptions(part: Omit<CapturePart, "report">, pool: Pool): CaptureOptions {
  const { stores, url, metrics } = part;
  const { changeTopics, slotName } = part.definitions;
  const positions = new PostgresCaptureSink({ pool, slot: slotName });
  const inPostgres = stores.embeddedLog !== undefined;
  return {
    url,
    sink: inPostgres ? positions : new LogCaptureSink({ log: stores.log, positions }),
    registry: stores.registry,
    metrics,
    clock: systemClock,
    random: new SystemRandom(),
    slot: slotName,
    publication: capturePublication,
    limits: { reconnect: outageBackoff },
    outboxTables,
    // As the catalogue's connector tells them, whose stream has no outbox tables.
    stream: { transactions: "of-changes", partitions: transactionTopic.partitions },
    tables: changeTopics.map(({ table, partitions }) => ({ name: table, partitions })),
  };
}

/** Which transactions changed captured tables, beside the tables' own topics. */
export const transactionTopic = { name: "refold.transaction", partitions: 10 } as const;

/** What the embedded capture reads through its slot. */
export const capturePublication = "refold";

/** Tables whose rows are published as records just as they say. */
export const outboxTables = ["refold.events", "refold.notices"] as const;

export interface RunningCapture extends AsyncDisposable {
  /** Why it ended without being asked to; undefined while it works. */
  readonly failure: Error | undefined;
  /** How long the first write-ahead log that isn't published has waited; undefined: not looked yet. */
  readonly lagMs: number | undefined;
}

/** Starts the capture; when this returns, whatever commits is captured. */
export async function startCapture(part: CapturePart): Promise<RunningCapture> {
  const { stores, url, report } = part;
  const { slotName } = part.definitions;
  const pool = makePool({ url, name: "capture sink", connectionsMax: sinkConnectionsMax });
  const capture = new EmbeddedCapture(captureOptions(part, pool));
  await capture.start(new AbortController().signal).catch(async (error: unknown) => {
    await pool.end();
    throw error;
  });
  const state: { failure: Error | undefined } = { failure: undefined };
  // Not awaited: it ends with the capture, which is disposed of below.
  void capture.done.catch((error: unknown) => {
    state.failure = error instanceof Error ? error : new Error(String(error));
    report(`The capture halted: ${state.failure.message}`);
  });
  const lag = new CaptureLag({
    ...part,
    clock: systemClock,
    pool,
    coveredLsn: () => capture.coveredLsn,
  });
  const board = tellBoard(part, {
    say: () => taskReport(slotName, state.failure),
    look: () => lag.look(),
  });
  return {
    get failure() {
      return state.failure;
    },
    get lagMs() {
      return lag.lagMs;
    },
    [Symbol.asyncDispose]: async () => {
      await board[Symbol.asyncDispose]();
      // Nobody works any more: without this, its last report would say so for a while.
      await stores.board.report(boardName, []);
      await capture[Symbol.asyncDispose]();
      await pool.end();
    },
  };
}

/** Tells `refold status` in other processes that, and how, the capture works. */
function tellBoard(
  { stores, report }: CapturePart,
  { say, look }: { say: () => TaskReport; look: () => Promise<void> },
): AsyncDisposable {
  return keepHouse({
    clock: systemClock,
    everyMs: reportEveryMs,
    report,
    chores: [
      { name: "A look at the capture's lag", run: look },
      {
        name: "The capture's report",
        run: () => stores.board.report(boardName, [say()]),
      },
    ],
  });
}

/** The capture has no partitions: its place in the log is told as that of one. */
function taskReport(slotName: string, failure: Error | undefined): TaskReport {
  return {
    consumer: "capture",
    kind: "capture",
    generation: undefined,
    topic: slotName,
    partition: 0,
    state: failure ? "halted" : "running",
    nextOffset: offset(0),
    parkedKeys: 0,
    recordsPerSecond: 0,
    lastRecordedAtMs: undefined,
    currentAsOfMs: undefined,
    reason: failure?.message,
  };
}
