import { FatalError, type RefoldError, TransientError } from "../../engine/errors.ts";

/** Kafka's error codes that mean something here (https://kafka.apache.org/protocol#protocol_error_codes). */
export const errorCodes = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  recordListTooLarge: 18,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  unknownProducerId: 59,
  producerFenced: 90,
  unknownTopicId: 100,
} as const;

interface Meaning {
  readonly name: string;
  /** `again`: the same may work later. `elsewhere`: later, with metadata read anew. */
  readonly retry?: "again" | "elsewhere";
}

const meanings: Readonly<Record<number, Meaning>> = {
  [-1]: { name: "UNKNOWN_SERVER_ERROR", retry: "again" },
  1: { name: "OFFSET_OUT_OF_RANGE" },
  2: { name: "CORRUPT_MESSAGE", retry: "again" },
  3: { name: "UNKNOWN_TOPIC_OR_PARTITION", retry: "elsewhere" },
  5: { name: "LEADER_NOT_AVAILABLE", retry: "elsewhere" },
  6: { name: "NOT_LEADER_OR_FOLLOWER", retry: "elsewhere" },
  7: { name: "REQUEST_TIMED_OUT", retry: "again" },
  8: { name: "BROKER_NOT_AVAILABLE", retry: "elsewhere" },
  9: { name: "REPLICA_NOT_AVAILABLE", retry: "elsewhere" },
  10: { name: "MESSAGE_TOO_LARGE" },
  13: { name: "NETWORK_EXCEPTION", retry: "elsewhere" },
  14: { name: "COORDINATOR_LOAD_IN_PROGRESS", retry: "again" },
  15: { name: "COORDINATOR_NOT_AVAILABLE", retry: "again" },
  16: { name: "NOT_COORDINATOR", retry: "elsewhere" },
  17: { name: "INVALID_TOPIC_EXCEPTION" },
  18: { name: "RECORD_LIST_TOO_LARGE" },
  19: { name: "NOT_ENOUGH_REPLICAS", retry: "again" },
  20: { name: "NOT_ENOUGH_REPLICAS_AFTER_APPEND", retry: "again" },
  29: { name: "TOPIC_AUTHORIZATION_FAILED" },
  30: { name: "GROUP_AUTHORIZATION_FAILED" },
  31: { name: "CLUSTER_AUTHORIZATION_FAILED" },
  32: { name: "INVALID_TIMESTAMP" },
  35: { name: "UNSUPPORTED_VERSION" },
  36: { name: "TOPIC_ALREADY_EXISTS" },
  37: { name: "INVALID_PARTITIONS" },
  38: { name: "INVALID_REPLICATION_FACTOR" },
  40: { name: "INVALID_CONFIG" },
  41: { name: "NOT_CONTROLLER", retry: "elsewhere" },
  44: { name: "POLICY_VIOLATION" },
  45: { name: "OUT_OF_ORDER_SEQUENCE_NUMBER" },
  46: { name: "DUPLICATE_SEQUENCE_NUMBER" },
  47: { name: "INVALID_PRODUCER_EPOCH" },
  56: { name: "KAFKA_STORAGE_ERROR", retry: "elsewhere" },
  58: { name: "SASL_AUTHENTICATION_FAILED" },
  59: { name: "UNKNOWN_PRODUCER_ID" },
  68: { name: "NON_EMPTY_GROUP" },
  72: { name: "LISTENER_NOT_FOUND", retry: "elsewhere" },
  74: { name: "FENCED_LEADER_EPOCH", retry: "elsewhere" },
  75: { name: "UNKNOWN_LEADER_EPOCH", retry: "elsewhere" },
  78: { name: "OFFSET_NOT_AVAILABLE", retry: "again" },
  87: { name: "INVALID_RECORD" },
  89: { name: "THROTTLING_QUOTA_EXCEEDED", retry: "again" },
  90: { name: "PRODUCER_FENCED" },
  100: { name: "UNKNOWN_TOPIC_ID", retry: "elsewhere" },
  103: { name: "INCONSISTENT_TOPIC_ID", retry: "elsewhere" },
};

export const errorName = (code: number): string => meanings[code]?.name ?? `error code ${code}`;

/** May the same request work later? */
export const isRetriable = (code: number): boolean => meanings[code]?.retry !== undefined;

/** What callers are told of a broker's answer; `doing` begins the sentence. */
export function brokerFault(code: number, doing: string, detail?: string | null): RefoldError {
  const said = `${doing}: the broker answered ${errorName(code)}${detail ? ` (${detail})` : ""}.`;
  if (isRetriable(code)) return new TransientError("kafka", said);
  return new FatalError("kafka", said, remedyOf(code));
}

function remedyOf(code: number): string {
  const name = errorName(code);
  if (name.endsWith("AUTHORIZATION_FAILED")) return "Grant the account what it needs (ACLs).";
  if (code === errorCodes.unsupportedVersion) return "Kafka 3.1 or newer is needed.";
  return "See the broker's log and the topic's configuration.";
}
