/**
 * Kafka: 1,000,000 seat events on 2,000 keys and 10 partitions, appended to Kafka, then caught up
 * from there into a Postgres read model, and once more into one that Redis follows to the last row,
 * through the runner as a process has it. The rows are compared one by one with counts made without
 * the engine. A catch-up into another read model comes first, unmeasured.
 *
 * Brokers are those of KAFKA_BROKERS (`npm run stack`); without them nothing is measured.
 */
import { parseArgs } from "node:util";

import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { type CatchUp, catchUp, type Filled, warmUp } from "./_catch-up.ts";
import { fillLog } from "./_fill-log.ts";
import { onKafkaTopic } from "./_kafka-topic.ts";
import { onOwnPostgres } from "./_own-postgres.ts";
import { readToEnd } from "./_read-to-end.ts";
import { SeatEvents } from "./_seat-events.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "1000000" } } });
const total = Number(values.events);
const perCall = 20_000;

await onKafkaTopic("kafka", measure);

async function measure(log: RecordLog): Promise<void> {
  const codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });
  const history = new SeatEvents(codec);
  const seconds = await fillLog({ log, codec, history, events: total, perCall });
  tell(`append, ${perCall} a call`, seconds);
  tell("read", await readToEnd(log, total));
  await onOwnPostgres(({ pool }) => warmUp({ pool, log, codec, history }));
  await measureCatchUp({ log, codec, history }, "Postgres");
  await measureCatchUp({ log, codec, history }, "Postgres and Redis");
}

/** On a Postgres of its own; with a redis-server of its own too, to the last row in both. */
function measureCatchUp(filled: Filled, into: CatchUp["into"]): Promise<void> {
  return onOwnPostgres(async ({ pool }) => {
    const { seconds, processorUs, peakMb } = await catchUp({ ...filled, pool, into });
    tell(`catch-up into ${into}`, seconds);
    console.log(
      `kafka: this process meanwhile: ${(processorUs / total).toFixed(1)} µs of processor time ` +
        `an event, peak resident memory ${peakMb} MB; rows equal`,
    );
  });
}

function tell(what: string, seconds: number): void {
  const rate = Math.round(total / seconds).toLocaleString("en");
  console.log(`kafka: ${what}: ${total} events in ${seconds.toFixed(2)} s: ${rate} events/s`);
}
