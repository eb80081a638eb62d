/**
 * Catch-up: 1,000,000 seat events on 2,000 keys and 10 partitions, from the embedded log into a
 * Postgres read model, through the runner as a process has it. The rows are compared one by one
 * with counts made without the engine before a figure is printed.
 */
import { parseArgs } from "node:util";

import type { Pool } from "pg";

import { PostgresRecordLog } from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import { catchUp, onOwnPostgres } from "./_catch-up.ts";
import { SeatEvents, topic } from "./_seat-events.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    // With a redis-server of its own that follows, to the last row.
    redis: { type: "boolean", default: false },
  },
});
const total = Number(values.events);

await onOwnPostgres(measure);

async function measure(pool: Pool): Promise<void> {
  await using log = new PostgresRecordLog({ pool });
  const codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });
  const history = new SeatEvents(codec);
  await fill(log, codec, history);
  const into = values.redis ? "Postgres and Redis" : "Postgres";
  const { seconds, peakMb } = await catchUp({ pool, log, codec, history, into });
  console.log(
    `catch-up${values.redis ? " with Redis" : ""}: ${total} events in ${seconds.toFixed(2)} s: ` +
      `${Math.round(total / seconds).toLocaleString("en")} events/s, ` +
      `peak resident memory of this process ${peakMb} MB, rows equal`,
  );
}

async function fill(log: PostgresRecordLog, codec: EventCodec, history: SeatEvents): Promise<void> {
  await log.ensureTopic({ name: topic.name, partitions: topic.partitions });
  await codec.prepare(topic);
  while (history.made < total)
    await log.append(history.take(Math.min(2_000, total - history.made)));
}
