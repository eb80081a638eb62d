import type { Pool } from "pg";

import {
  PostgresAssignment,
  PostgresReadModelStore,
  PostgresRecordLog,
} from "../../connectors/postgres/index.ts";
import type { ReadModelStore } from "../../engine/ports/read-model-store.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { run } from "../../engine/runner/run.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { JsonCodec } from "../../engine/testing/index.ts";
import { realClock, realRandom } from "./process.ts";
import { board, changes, counters } from "./seats.ts";

/** The counters' codec. Its schema ids follow from the order: every process must have the same. */
export async function countersCodec(): Promise<JsonCodec> {
  const codec = new JsonCodec();
  for (const topic of [counters, changes]) await codec.prepare(topic);
  return codec;
}

/** The counters' board, as one process among several has it. */
export interface BoardRunner extends AsyncDisposable {
  readonly runner: Runner;
}

export async function runBoard(
  pool: Pool,
  readModels: ReadModelStore = new PostgresReadModelStore({ pool }),
): Promise<BoardRunner> {
  const log = new PostgresRecordLog({ pool });
  const runner = await runBoardOn(log, { pool, readModels });
  return {
    runner,
    [Symbol.asyncDispose]: async () => {
      await runner.stop();
      await log[Symbol.asyncDispose]();
    },
  };
}

/** The board from any log, with leases and positions in Postgres. */
export async function runBoardOn(
  log: RecordLog,
  { pool, readModels }: { readonly pool: Pool; readonly readModels: ReadModelStore },
): Promise<Runner> {
  return run({
    projections: [board],
    log,
    readModels,
    assignment: new PostgresAssignment({ pool, leaseMs: 900, heartbeatMs: 100, waitingMs: 20 }),
    codec: await countersCodec(),
    clock: realClock,
    random: realRandom,
    observeIntervalMs: 50,
    recoverAfterMs: 300,
    // Small, so that a kill comes between flushes.
    limits: { lingerMs: 1, batchRecordsMax: 20, chunkRecordsMax: 7 },
    fetchBytesMax: 4_096,
  });
}
