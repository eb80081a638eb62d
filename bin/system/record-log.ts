import { PostgresRecordLog } from "../../connectors/postgres/record-log/index.ts";
import type { LogPart, OpenLog } from "./open-log.ts";

/** The log that the settings name; `stop` closes it. */
export async function openLog(part: LogPart): Promise<OpenLog> {
  const { servers, pool, url, metrics, stop } = part;
  const { kafka } = servers;
  if (kafka !== undefined) {
    // Its client takes a good part of a start, which a log in Postgres has no use for.
    const { openKafkaLog } = await import("./kafka-log.ts");
    return openKafkaLog({ ...part, kafka });
  }
  const log = new PostgresRecordLog({ pool, listenUrl: url, metrics });
  stop.add("record log", () => log[Symbol.asyncDispose]());
  return { log, embeddedLog: log, offsetMirror: undefined };
}
