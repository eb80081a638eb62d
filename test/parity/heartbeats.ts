import { isRecord } from "./comparison/fields.ts";
import type { RecordedEvent, Scenario } from "./scenario.ts";

/** Whether a record only says that the connector lives. Timing decides how many there are. */
export function isHeartbeat(record: { readonly topic: string }, { config }: Scenario): boolean {
  const prefix = config["topic.heartbeat.prefix"] ?? "__debezium-heartbeat";
  return record.topic.startsWith(`${prefix}.`);
}

/** The heartbeat without its time, whether it is Avro or JSON. */
export function withoutTime(heartbeat: RecordedEvent): RecordedEvent {
  const { value } = heartbeat;
  if (!isRecord(value)) return heartbeat;
  if (typeof value["ts_ms"] === "number") {
    return { ...heartbeat, value: { ...value, ts_ms: "a time" } };
  }
  if (typeof value["text"] !== "string") return heartbeat;
  const text = value["text"].replace(/("ts_ms":)\d+/, '$1"a time"');
  return { ...heartbeat, value: { text } };
}
