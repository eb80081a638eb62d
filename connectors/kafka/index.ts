export { KafkaCluster, type KafkaClusterOptions } from "./cluster.ts";
export type { KafkaSasl } from "./connection/options.ts";
export {
  deadLetterTopicOf,
  DeadLetterTopics,
  type DeadLetterTopicsOptions,
  letterHeaders,
} from "./dead-letter-topic/index.ts";
export { KafkaRecordLog, type KafkaRecordLogOptions } from "./kafka-record-log.ts";
export {
  type FlushedOffset,
  GroupOffsetMirror,
  type GroupOffsetMirrorOptions,
} from "./group-offset-mirror.ts";
