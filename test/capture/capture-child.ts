import { randomUUID } from "node:crypto";
import { flushCompileCache } from "node:module";

import { systemClock } from "../../bin/system-clock.ts";
import { EmbeddedCapture, PostgresCaptureSink } from "../../connectors/capture/index.ts";
import { makePool } from "../../connectors/postgres/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { ListedSchemas } from "./memory-registry.ts";

/** A process that captures until it is killed; its arguments are the database and the slot. */
const [url = "", slot = ""] = process.argv.slice(2);
const pool = makePool({ url, name: "capture child" });
const capture = new EmbeddedCapture({
  url,
  slot,
  sink: new PostgresCaptureSink({ pool, slot }),
  registry: new ListedSchemas(),
  metrics: noMetrics,
  clock: systemClock,
  random: { next: () => 0.5, id: randomUUID },
  tables: [{ name: "public.moves", partitions: 1 }],
  outboxTables: ["public.outbox"],
  // Small, so that transactions go out in parts.
  limits: { batchRecordsMax: 100, snapshotRowsMax: 50, receivedBytesMax: 16_384 },
});
await capture.start(new AbortController().signal);
// It is killed, and what is kept at a regular exit would be lost.
flushCompileCache();
process.stdout.write("streaming\n");
await capture.done;
