/**
 * The fold without any I/O: record batches in memory, through the real task, into a store that
 * keeps rows in a map. What is left is decoding, looking rows up, folding and digests. Its ceiling
 * is a walk over the same batches that reads nothing but where records begin and end.
 */
import { parseArgs } from "node:util";

import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import type { AnyRow } from "../engine/columns.ts";
import { noProbe } from "../engine/crash-points.ts";
import { SeededRandom } from "../engine/memory/clock.ts";
import { MemoryReadModelStore } from "../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../engine/memory/record-log.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import { offset } from "../engine/position.ts";
import type { Fetch } from "../engine/ports/record-log.ts";
import { noMetrics } from "../engine/ports/metrics.ts";
import { taskLimits } from "../engine/task/limits.ts";
import { projectionPipeline } from "../engine/task/pipeline.ts";
import { ProjectionStore, readModelOf } from "../engine/task/projection-store.ts";
import { Task } from "../engine/task/task.ts";
import { RecordCursor } from "../engine/record-batch/index.ts";
import { seatBoard } from "./_seat-board.ts";
import { assertRows, SeatEvents, topic } from "./_seat-events.ts";
import { tell, tellChecked, tellRate } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "500000" },
    keys: { type: "string", default: "2000" },
  },
});
const total = Number(values.events);
const codec = avroCodec({
  registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
});
const log = new MemoryRecordLog();
const info = await log.ensureTopic({ name: topic.name, partitions: topic.partitions });
await codec.prepare(topic);
const history = new SeatEvents(codec, { keys: Number(values.keys) });
while (history.made < total) {
  await log.append(history.take(Math.min(10_000, total - history.made)));
}

const readModels = new MemoryReadModelStore();
const generation = await readModels.open(readModelOf(seatBoard));
const store = new ProjectionStore({ projection: seatBoard, generation, store: readModels, codec });
const limits = taskLimits();
const { signal } = new AbortController();
const task = new Task({
  pipeline: projectionPipeline(seatBoard, { codec, limits }),
  store,
  clock: { nowMs: () => 0, monotonicMs: () => performance.now(), sleep: () => Promise.resolve() },
  random: new SeededRandom(),
  metrics: noMetrics,
  probe: noProbe,
  limits,
  signal,
});
const places = Array.from({ length: topic.partitions }, (_, partition) => ({
  topic: topic.name,
  partition,
}));
const owned = await store.claim(places);
const begin = { logId: info.id, startOffset: 0, holdsFirstRecord: true };
task.add(owned.map((one) => ({ owned: one, ...begin })));

const from = new Map(places.map(({ partition }) => [partition, offset(0)]));
const fetches: Fetch[] = [];
const read = { topic: topic.name, from, fetchBytesMax: 1024 * 1024, signal };
for await (const fetch of log.read({ ...read, until: "end" })) fetches.push(fetch);

/** Seconds that a walk over all records takes. */
function walked(): number {
  const cursor = new RecordCursor();
  const began = performance.now();
  let seen = 0;
  for (const fetch of fetches) {
    for (const { bytes } of fetch.partitions) {
      cursor.reset(bytes, 0);
      while (cursor.next()) seen += 1;
    }
  }
  if (seen !== total) throw new Error(`${seen} records were walked over instead of ${total}.`);
  return (performance.now() - began) / 1_000;
}

const cpu = process.cpuUsage();
const began = performance.now();
for (const fetch of fetches) await task.accept(fetch);
await task.flush();
const seconds = (performance.now() - began) / 1_000;
const { user, system } = process.cpuUsage(cpu);

const rows = new Map<string, AnyRow>();
for await (const page of readModels.scan(generation)) {
  for (const { key, row } of page) rows.set(key, row);
}
assertRows(rows, history.expected);
tellChecked(`${rows.size} rows equal counts made without the engine`);
const name = "fold";
tellRate({ name, of: "events", count: total, seconds });
const value = (user + system) / total;
const role = "measured";
tell({ name: "fold, processor time", unit: "µs/event", value, better: "less", role });
const walk = "walk over the records alone";
tellRate({ name: walk, of: "events", count: total, seconds: walked(), role: "ceiling" });
