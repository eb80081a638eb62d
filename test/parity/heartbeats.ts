import type { Scenario } from "./scenario.ts";

/** Whether a record only says that the connector lives. Timing decides how many there are. */
export function isHeartbeat(record: { readonly topic: string }, { config }: Scenario): boolean {
  const prefix = config["topic.heartbeat.prefix"] ?? "__debezium-heartbeat";
  return record.topic.startsWith(`${prefix}.`);
}
