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
  readonly jsonPayload: "text" | "expanded";
  /** What an update or delete of an outbox row does; an insertion is the rule. */
  readonly invalidOperation: "warn" | "error" | "fatal";
  /** How payload columns become bytes: as they are, as a JSON document, or as Avro. */
  readonly values: "bytes" | "json" | "avro";
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
  topicExpression: /(?<routedByValue>.*)/,
  topicReplacement: "outbox.event.${routedByValue}",
  emptyPayload: "null-payload",
  additional: [],
  jsonPayload: "text",
  invalidOperation: "warn",
  values: "bytes",
  keys: "text",
};
