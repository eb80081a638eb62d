import type { JsonNulls } from "./expanded-json.ts";

/**
 * How rows of outbox tables become records, for tables in the shape that Debezium's Outbox Event
 * Router takes (https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html).
 * Its defaults are its documented ones. Refold's own outbox tables have a shape of their own
 * (`outboxTables`) and need none of this.
 */
export interface EventRouter {
  readonly fields: {
    readonly eventId: string;
    readonly eventKey: string;
    readonly payload: string;
    readonly timestamp: string | undefined;
    readonly schemaVersion: string | undefined;
  };
  /** Column whose value routes the event. */
  readonly routeByField: string;
  /** Expression over the routing value, and the topic's name, in which `${routedByValue}` stands. */
  readonly topicExpression: RegExp;
  readonly topicReplacement: string;
  /** `tombstone`: an event without a payload is a record without a value. */
  readonly emptyPayload: "tombstone" | "null-payload";
  readonly additional: readonly {
    readonly column: string;
    readonly placement: "header" | "envelope" | "partition";
    readonly alias: string;
  }[];
  /** What a column of `additional` that the table doesn't have does. */
  readonly additionalMissing: "error" | "ignore";
  readonly jsonPayload: "text" | "expanded";
  /** Under `expanded`: fields that are null are left out, or are bytes that are null. */
  readonly jsonNulls: JsonNulls;
  /** What an update of an outbox row does; insertions are the rule, and deletes mean nothing. */
  readonly invalidOperation: "warn" | "error" | "fatal";
  /** How payloads are written: bytes as they are and all else as JSON, as JSON, text or Avro. */
  readonly values: "bytes" | "json" | "text" | "avro";
  /** How keys do. */
  readonly keys: "text" | "json" | "avro";
}

export const defaultEventRouter: EventRouter = {
  fields: {
    eventId: "id",
    eventKey: "aggregateid",
    payload: "payload",
    timestamp: undefined,
    schemaVersion: undefined,
  },
  routeByField: "aggregatetype",
  topicExpression: /^(?<routedByValue>.*)$/,
  topicReplacement: "outbox.event.${routedByValue}",
  emptyPayload: "null-payload",
  additional: [],
  additionalMissing: "error",
  jsonPayload: "text",
  jsonNulls: "left-out",
  invalidOperation: "warn",
  values: "bytes",
  keys: "text",
};
