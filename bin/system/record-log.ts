import type { Pool } from "pg";

import { GroupOffsetMirror, KafkaCluster, KafkaRecordLog } from "../../connectors/kafka/index.ts";
import { PostgresSkippedOffsets } from "../../connectors/postgres/index.ts";
import { PostgresRecordLog } from "../../connectors/postgres/record-log/index.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { SkippingRecordLog } from "../../engine/record-log/skipping-log.ts";
import type { Servers } from "../servers.ts";
import type { StopInTurn } from "../stop-in-turn.ts";
import { systemClock } from "../system-clock.ts";

export interface LogPart {
  readonly servers: Servers;
  readonly pool: Pool;
  /** Of the database. */
  readonly url: string;
  readonly metrics: Metrics;
  readonly stop: StopInTurn;
}

export interface OpenLog {
  readonly log: RecordLog;
  /** The same where it is in Postgres, which keeps no house by itself; Kafka's brokers do. */
  readonly embeddedLog: PostgresRecordLog | undefined;
  /** Tells Kafka's consumer groups how far we are. */
  readonly offsetMirror: GroupOffsetMirror | undefined;
}

/** The log that the settings name; `stop` closes it. */
export function openLog({ servers, pool, url, metrics, stop }: LogPart): OpenLog {
  const { kafka } = servers;
  if (kafka === undefined) {
    const log = new PostgresRecordLog({ pool, listenUrl: url, metrics });
    stop.add("record log", () => log[Symbol.asyncDispose]());
    return { log, embeddedLog: log, offsetMirror: undefined };
  }
  const cluster = new KafkaCluster(kafka);
  stop.add("connections to Kafka", () => cluster[Symbol.asyncDispose]());
  // What is republished there is skipped by ranges in Postgres: Kafka takes no records back.
  const log = new SkippingRecordLog({
    log: new KafkaRecordLog({ cluster, metrics }),
    skipped: new PostgresSkippedOffsets({ pool }),
    clock: systemClock,
  });
  stop.add("record log", () => log[Symbol.asyncDispose]());
  const offsetMirror = new GroupOffsetMirror({ cluster, metrics });
  stop.add("consumer groups' offsets", () => offsetMirror[Symbol.asyncDispose]());
  return { log, embeddedLog: undefined, offsetMirror };
}
