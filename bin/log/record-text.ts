import type { RecordHeader } from "../../engine/ports/record-log.ts";
import { base64, jsonOf, textOf } from "./printable.ts";
import type { Payload } from "./payload.ts";
import type { ReadRecord } from "./read.ts";

/** One record as one line of JSON. */
export function recordJson(read: ReadRecord): string {
  const { topic, partition, offset, record, key } = read;
  const headers = record.headers.map(({ name, value }) => [name, value && textOf(value)]);
  return jsonOf({
    topic,
    partition,
    offset,
    time: timeText(record.timestampMs),
    key,
    headers: Object.fromEntries(headers),
    ...payloadJson(read.value),
  });
}

function payloadJson(value: Payload): Readonly<Record<string, unknown>> {
  if (value.kind === "none") return { event: null };
  if (value.kind === "decoded") {
    return { schemaId: value.schemaId, type: value.type, event: value.value };
  }
  return { undecodable: { reason: value.reason, bytes: base64(value.bytes) } };
}

/** One record for people: coordinates, envelope, event. */
export function recordText(read: ReadRecord): string {
  const { topic, partition, offset, record, key } = read;
  const keyText = typeof key === "string" ? key : jsonOf(key);
  const where = `${topic} ${partition}@${offset}  ${timeText(record.timestampMs)}  ${keyText}`;
  const type = read.value.kind === "decoded" ? `  ${read.value.type ?? ""}` : "";
  const headers = record.headers.map((header) => `  ${headerText(header)}`);
  return [`${where}${type}`.trimEnd(), ...headers, `  ${payloadText(read.value)}`].join("\n");
}

function headerText({ name, value }: RecordHeader): string {
  return `${name}: ${value === null ? "(null)" : textOf(value)}`;
}

function payloadText(value: Payload): string {
  if (value.kind === "none") return "(no value: a tombstone)";
  if (value.kind === "decoded") return jsonOf(value.value);
  return `(undecodable: ${value.reason}) base64:${base64(value.bytes)}`;
}

/** Times that no calendar has stay the number that they are. */
function timeText(timestampMs: number): string {
  const date = new Date(timestampMs);
  return Number.isNaN(date.getTime()) ? String(timestampMs) : date.toISOString();
}
