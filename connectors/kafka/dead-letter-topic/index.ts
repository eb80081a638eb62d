export {
  deadLetterTopicOf,
  DeadLetterTopics,
  type DeadLetterTopicsOptions,
  defaultDeadLetterRetentionMs,
} from "./publisher.ts";
export { letterHeaders } from "./record.ts";
