import { randomUUID } from "node:crypto";
import { flushCompileCache } from "node:module";

import { systemClock } from "../../bin/system-clock.ts";
import {
  EmbeddedCapture,
  PostgresCaptureSink,
  repairCapture,
  type CaptureOptions,
} from "../../connectors/capture/index.ts";
import { makePool, PostgresRecordLog } from "../../connectors/postgres/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { ChildWork } from "./children.ts";
import { ListedSchemas } from "./memory-registry.ts";

/** A process that captures or repairs until it is killed; its argument says what. */
const work = JSON.parse(process.argv[2] ?? "") as ChildWork;
const { url, slot, tables, signals } = work;
const pool = makePool({ url, name: "capture child" });
const options: CaptureOptions = {
  url,
  slot,
  sink: new PostgresCaptureSink({ pool, slot }),
  registry: new ListedSchemas(),
  metrics: noMetrics,
  clock: systemClock,
  random: { next: () => 0.5, id: randomUUID },
  tables: tables.map((name) => ({ name, partitions: 1 })),
  outboxTables: ["public.outbox"],
  // Small, so that transactions and snapshots go out in parts.
  limits: { batchRecordsMax: 100, snapshotRowsMax: 50, receivedBytesMax: 16_384 },
  ...(signals === undefined
    ? {}
    : { signals: { table: signals, chunkRows: 50, watermarks: "insert_insert" } }),
};

function begun(): void {
  // It is killed, and what is kept at a regular exit would be lost.
  flushCompileCache();
  process.stdout.write("begun\n");
}

if (work.kind === "capture") {
  const capture = new EmbeddedCapture(options);
  await capture.start(new AbortController().signal);
  begun();
  await capture.done;
} else {
  begun();
  const log = new PostgresRecordLog({ pool });
  const { signal } = new AbortController();
  await repairCapture({ capture: options, log, when: "always", signal });
  // Whoever started it kills it, late or soon.
  setInterval(() => undefined, 60_000);
}
