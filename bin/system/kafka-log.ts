import { GroupOffsetMirror, KafkaCluster, KafkaRecordLog } from "../../connectors/kafka/index.ts";
import { PostgresSkippedOffsets } from "../../connectors/postgres/index.ts";
import { SkippingRecordLog } from "../../engine/record-log/skipping-log.ts";
import type { KafkaAccess } from "../servers.ts";
import { systemClock } from "../system-clock.ts";
import type { LogPart, OpenLog } from "./open-log.ts";

export function openKafkaLog({
  kafka,
  pool,
  metrics,
  stop,
}: LogPart & { readonly kafka: KafkaAccess }): OpenLog {
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
