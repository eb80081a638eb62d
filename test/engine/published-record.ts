import { header } from "../../engine/envelope.ts";
import type { StoredEvent } from "../../engine/ports/event-store.ts";
import type { RecordToAppend } from "../../engine/ports/record-log.ts";

/** A stored event as the capture publishes it. */
export function recordOf(event: StoredEvent): RecordToAppend {
  const texts: readonly (readonly [string, string | undefined])[] = [
    [header.sequence, String(event.sequence)],
    [header.incarnation, event.incarnation],
    [header.id, event.id],
    [header.type, event.type],
    [header.correlationId, event.correlationId],
    [header.causationId, event.causationId],
    [header.traceparent, event.traceparent],
  ];
  return {
    timestampMs: event.recordedAtMs,
    key: Buffer.from(event.key, "utf8"),
    value: event.value,
    headers: texts.flatMap(([name, text]) =>
      text === undefined ? [] : [{ name, value: Buffer.from(text, "utf8") }],
    ),
  };
}
