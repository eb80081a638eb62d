import type { Pool } from "pg";

import { KafkaCluster, KafkaRecordLog } from "../../connectors/kafka/index.ts";
import { PostgresReadModelStore, PostgresSkippedOffsets } from "../../connectors/postgres/index.ts";
import { SkippingRecordLog } from "../../engine/record-log/skipping-log.ts";
import { realClock } from "../engine/process.ts";
import { type BoardRunner, runBoardOn } from "../engine/runner-on-postgres.ts";

/** The counters' board out of Kafka into Postgres, as one process among several has it. */
export async function runBoardOnKafka(pool: Pool, broker: string): Promise<BoardRunner> {
  const cluster = new KafkaCluster({ brokers: [broker], clientId: "worker" });
  const log = new SkippingRecordLog({
    log: new KafkaRecordLog({ cluster, fetchWaitMs: 100 }),
    skipped: new PostgresSkippedOffsets({ pool }),
    clock: realClock,
  });
  const readModels = new PostgresReadModelStore({ pool });
  const runner = await runBoardOn(log, { pool, readModels });
  return {
    runner,
    [Symbol.asyncDispose]: async () => {
      await runner.stop();
      await log[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}
