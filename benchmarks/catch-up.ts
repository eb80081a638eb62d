/**
 * Catch-up: 1,000,000 seat events on 2,000 keys and 10 partitions, from the embedded log, or from
 * Kafka where KAFKA_BROKERS names brokers, through the runner as a process has it. The rows are
 * compared one by one with counts made without the engine before a figure is told. Its ceiling is the
 * same log read to the end, with nothing done but walking over the records. The process has caught up
 * with the same log once before, into another read model in Postgres, whose rows are compared too.
 *
 * `--into postgres`: until the last row is in Postgres. `both`: until it is in Redis too, which follows
 * Postgres' commits. `redis`: the same course, until Redis has the last row; Redis' rows alone are
 * compared, and when Postgres had it stands beside as a ceiling, so that what Redis adds is seen.
 */
import { parseArgs } from "node:util";

import type { Pool } from "pg";

import { PostgresRecordLog } from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { catchUp, type ReadModelPlace, warmUp } from "./_catch-up.ts";
import { fillLog } from "./_fill-log.ts";
import { noKafka, onKafkaTopic } from "./_kafka-topic.ts";
import { onOwnPostgres } from "./_own-postgres.ts";
import { readToEnd } from "./_read-to-end.ts";
import { SeatEvents } from "./_seat-events.ts";
import { tell, tellChecked, tellLeftOut, tellRate } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    keys: { type: "string", default: "2000" },
    from: { type: "string", default: "embedded" },
    into: { type: "string", default: "postgres" },
  },
});
const total = Number(values.events);
const into = placeOf(values.into);

if (values.from === "kafka") {
  const measured = await onKafkaTopic("catch-up", (log) =>
    onOwnPostgres(({ pool }) => measure(pool, log)),
  );
  if (!measured) tellLeftOut(noKafka);
} else {
  await onOwnPostgres(async ({ pool }) => {
    await using log = new PostgresRecordLog({ pool });
    await measure(pool, log);
  });
}

async function measure(pool: Pool, log: RecordLog): Promise<void> {
  const codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });
  const history = new SeatEvents(codec, { keys: Number(values.keys) });
  await fillLog({ log, codec, history, events: total, perCall: 2_000 });
  await warmUp({ pool, log, codec, history });
  const caughtUp = await catchUp({ pool, log, codec, history, into });
  const read = await readToEnd(log, total);
  const where = into === "Redis" ? " of Redis" : "";
  tellChecked(`${history.expected.size} rows${where} equal counts made without the engine`);
  const name = `catch-up into ${into}`;
  tellRate({ name, of: "events", count: total, seconds: caughtUp.seconds });
  if (into === "Redis") {
    const { postgresSeconds: seconds } = caughtUp;
    tellRate({
      name: "of it, into Postgres",
      of: "events",
      count: total,
      seconds,
      role: "ceiling",
    });
  }
  tellRate({ name: "read alone", of: "events", count: total, seconds: read, role: "ceiling" });
  const of = { better: "less", role: "measured" } as const;
  const value = caughtUp.processorUs / total;
  tell({ ...of, name: "processor time of Node", unit: "µs/event", value });
  tell({ ...of, name: "largest resident memory", unit: "MB", value: caughtUp.peakMb });
}

function placeOf(into: string): ReadModelPlace {
  const places: Readonly<Record<string, ReadModelPlace>> = {
    postgres: "Postgres",
    both: "Postgres and Redis",
    redis: "Redis",
  };
  const place = places[into];
  if (place !== undefined) return place;
  throw new RangeError(`--into takes ${Object.keys(places).join(", ")}, not "${into}".`);
}
