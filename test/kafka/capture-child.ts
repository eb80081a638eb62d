import { randomUUID } from "node:crypto";

import { systemClock } from "../../bin/system-clock.ts";
import {
  EmbeddedCapture,
  LogCaptureSink,
  PostgresCaptureSink,
} from "../../connectors/capture/index.ts";
import { KafkaCluster, KafkaRecordLog } from "../../connectors/kafka/index.ts";
import { makePool } from "../../connectors/postgres/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { ListedSchemas } from "../capture/memory-registry.ts";

/** Captures into Kafka until it is killed; its arguments are the database, the slot, the brokers. */
const [url = "", slot = "", brokers = ""] = process.argv.slice(2);
const cluster = new KafkaCluster({ brokers: brokers.split(",") });
const pool = makePool({ url, name: "capture child" });
const capture = new EmbeddedCapture({
  url,
  slot,
  sink: new LogCaptureSink({
    log: new KafkaRecordLog({ cluster }),
    positions: new PostgresCaptureSink({ pool, slot }),
  }),
  registry: new ListedSchemas(),
  metrics: noMetrics,
  clock: systemClock,
  random: { next: () => 0.5, id: randomUUID },
  tables: [],
  outboxTables: ["public.outbox"],
  // Small, so that kills come between records and position.
  limits: { batchRecordsMax: 20, receivedBytesMax: 16_384 },
});
await capture.start(new AbortController().signal);
process.stdout.write("streaming\n");
await capture.done;
