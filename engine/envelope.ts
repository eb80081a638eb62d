/**
 * The envelope of an event, in record headers after CloudEvents' Kafka binding, binary mode
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md).
 * Every value is UTF-8 text. The order is the order in which they are written: what a task reads of
 * every record stands first.
 */
export const header = {
  sequence: "ce_sequence",
  incarnation: "ce_incarnation",
  id: "ce_id",
  type: "ce_type",
  source: "ce_source",
  time: "ce_time",
  subject: "ce_subject",
  specVersion: "ce_specversion",
  contentType: "content-type",
  position: "ce_position",
  correlationId: "ce_correlationid",
  causationId: "ce_causationid",
  traceparent: "traceparent",
} as const;

export type HeaderName = (typeof header)[keyof typeof header];

export const headerOrder: readonly HeaderName[] = Object.values(header);

export const specVersion = "1.0";
export const contentType = "application/avro";
