import type { Pool } from "pg";

import { KafkaCluster, KafkaRecordLog } from "../../connectors/kafka/index.ts";
import {
  PostgresAssignment,
  PostgresReadModelStore,
  PostgresSkippedOffsets,
} from "../../connectors/postgres/index.ts";
import { SkippingRecordLog } from "../../engine/record-log/skipping-log.ts";
import { run } from "../../engine/runner/run.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { realClock, realRandom } from "../engine/process.ts";
import { countersCodec } from "../engine/runner-on-postgres.ts";
import { board } from "../engine/seats.ts";

/** The counters' board out of Kafka into Postgres, as one process among several has it. */
export async function runBoardOnKafka(
  pool: Pool,
  broker: string,
): Promise<AsyncDisposable & { readonly runner: Runner }> {
  const cluster = new KafkaCluster({ brokers: [broker], clientId: "worker" });
  const log = new SkippingRecordLog({
    log: new KafkaRecordLog({ cluster, fetchWaitMs: 100 }),
    skipped: new PostgresSkippedOffsets({ pool }),
    clock: realClock,
  });
  const runner = await run({
    projections: [board],
    log,
    readModels: new PostgresReadModelStore({ pool }),
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
  return {
    runner,
    [Symbol.asyncDispose]: async () => {
      await runner.stop();
      await log[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}
