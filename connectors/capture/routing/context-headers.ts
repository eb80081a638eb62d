import type { RecordHeader } from "../../../engine/ports/record-log.ts";

const contextPrefix = "__debezium.context.";

/**
 * The headers that Debezium's connectors put on every record of a captured table
 * (`extended.headers.enabled`). The connector's name is its kind's; the run's id is new at every
 * start.
 */
export function contextHeaders(logicalName: string, runId: string): readonly RecordHeader[] {
  const told = {
    connectorLogicalName: logicalName,
    taskId: "0",
    connectorName: "postgresql",
    runId,
  };
  return Object.entries(told).map(([name, text]) => ({
    name: contextPrefix + name,
    value: Buffer.from(text, "utf8"),
  }));
}
