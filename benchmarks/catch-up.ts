/**
 * Catch-up: 1,000,000 seat events on 2,000 keys and 10 partitions, from the embedded log into a
 * Postgres read model, through the runner as a process has it. The rows are compared one by one
 * with counts made without the engine before a figure is printed.
 */
import { parseArgs } from "node:util";

import { PostgresRecordLog } from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import { catchUp } from "./_catch-up.ts";
import { fillLog } from "./_fill-log.ts";
import { type OwnPostgres, onOwnPostgres } from "./_own-postgres.ts";
import { SeatEvents } from "./_seat-events.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    // With a redis-server of its own that follows, to the last row.
    redis: { type: "boolean", default: false },
  },
});
const total = Number(values.events);

await onOwnPostgres(measure);

async function measure({ pool }: OwnPostgres): Promise<void> {
  await using log = new PostgresRecordLog({ pool });
  const codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });
  const history = new SeatEvents(codec);
  await fillLog({ log, codec, history, events: total, perCall: 2_000 });
  const into = values.redis ? "Postgres and Redis" : "Postgres";
  const { seconds, peakMb } = await catchUp({ pool, log, codec, history, into });
  console.log(
    `catch-up${values.redis ? " with Redis" : ""}: ${total} events in ${seconds.toFixed(2)} s: ` +
      `${Math.round(total / seconds).toLocaleString("en")} events/s, ` +
      `peak resident memory of this process ${peakMb} MB, rows equal`,
  );
}
