import { contentType, header, type HeaderName, specVersion } from "../../engine/envelope.ts";

/** What each header of an event's envelope says. */
const meanings: Readonly<Record<HeaderName, string>> = {
  [header.sequence]: "Number of the event in its lane (topic and partition), gapless from 1.",
  [header.incarnation]: "The life of the event store in which it was recorded.",
  [header.id]: "Unique for ever.",
  [header.type]: "Full name of the event type.",
  [header.source]: "Who has recorded it.",
  [header.time]: "When it was recorded, as RFC 3339 text with milliseconds.",
  [header.subject]: "The record's key.",
  [header.specVersion]: "Version of CloudEvents.",
  [header.contentType]: "Media type of the value.",
  [header.position]: "Its place in the event store: unique, rising.",
  [header.correlationId]: "The same in all that one request or change has caused.",
  [header.causationId]: "What has caused it: another event's id, or the request.",
  [header.traceparent]: "W3C trace context.",
};

const constants: Readonly<Partial<Record<HeaderName, string>>> = {
  [header.specVersion]: specVersion,
  [header.contentType]: contentType,
};

const optional: ReadonlySet<HeaderName> = new Set([header.causationId, header.traceparent]);

/** The envelope's headers as a JSON schema: after CloudEvents' Kafka binding, all UTF-8 text. */
export const envelopeHeaders = {
  type: "object",
  required: Object.values(header).filter((name) => !optional.has(name)),
  properties: Object.fromEntries(
    Object.values(header).map((name) => [
      name,
      {
        type: "string",
        description: meanings[name],
        ...(constants[name] === undefined ? {} : { const: constants[name] }),
      },
    ]),
  ),
};
