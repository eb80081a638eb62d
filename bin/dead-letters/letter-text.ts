import type { LetterSource, StoredDeadLetter } from "../../engine/ports/dead-letters.ts";
import { base64, jsonOf, textOf } from "../log/printable.ts";
import type { Payload } from "../log/payload.ts";
import { table } from "../table.ts";

const headings = ["id", "state", "consumer", "record", "key", "cause", "tries", "since"];

/** Letters for people, a line each. */
export function lettersTable(letters: readonly StoredDeadLetter[]): string {
  if (letters.length === 0) return "No dead letters.";
  const rows = letters.map((letter) => [
    String(letter.id),
    letter.asked ? `${letter.disposition}, ${letter.asked.action} asked` : letter.disposition,
    consumerOf(letter),
    recordOf(letter),
    keyOf(letter),
    letter.cause,
    String(letter.attempts),
    letter.firstAt.toISOString(),
  ]);
  return table(headings, rows);
}

/** One letter whole. */
export function letterText(letter: StoredDeadLetter, payload: Payload): string {
  const { asked, settledAt, reason } = letter;
  const wish =
    asked && (asked.reason === undefined ? asked.action : `${asked.action} (${asked.reason})`);
  const fields: (readonly [string, string | undefined])[] = [
    ["letter", String(letter.id)],
    ["state", letter.disposition],
    ["asked", wish],
    ["consumer", consumerOf(letter)],
    ["record", recordOf(letter)],
    ["source", sourceText(letter.source)],
    ["recorded at", new Date(letter.timestampMs).toISOString()],
    ["set aside at", letter.firstAt.toISOString()],
    ["last tried at", `${letter.lastAt.toISOString()} (tries: ${letter.attempts})`],
    ["settled at", settledAt?.toISOString()],
    ["reason", reason],
    ["cause", `${letter.cause}: ${letter.message}`],
    ["key", keyOf(letter)],
    ["value", valueText(letter, payload)],
  ];
  const lines = fields.flatMap(([name, text]) =>
    text === undefined ? [] : [`${name.padEnd(14)}${text}`],
  );
  const headers = letter.headers.map(
    ({ name, value }) => `  ${name}: ${value ? textOf(value) : ""}`,
  );
  const stack = letter.stack === undefined ? [] : ["stack", indented(letter.stack)];
  return [...lines, ...(headers.length > 0 ? ["headers", ...headers] : []), ...stack].join("\n");
}

/** A letter for programs; with the payload also its bytes. */
export function letterJson(
  letter: StoredDeadLetter,
  payload?: Payload,
): Readonly<Record<string, unknown>> {
  const { consumer, generation, topic, partition, offset, disposition } = letter;
  return {
    id: letter.id,
    disposition,
    consumer,
    generation,
    topic,
    partition,
    offset,
    source: { ...letter.source },
    key: letter.key && keyText(letter.key),
    cause: letter.cause,
    message: letter.message,
    stack: letter.stack,
    attempts: letter.attempts,
    recordedAt: new Date(letter.timestampMs).toISOString(),
    firstAt: letter.firstAt.toISOString(),
    lastAt: letter.lastAt.toISOString(),
    asked: letter.asked?.action,
    settledAt: letter.settledAt?.toISOString(),
    reason: letter.reason ?? letter.asked?.reason,
    ...(payload === undefined ? {} : wholeJson(letter, payload)),
  };
}

const wholeJson = ({ key, value, headers }: StoredDeadLetter, payload: Payload) => ({
  keyBytes: key && base64(key),
  valueBytes: value && base64(value),
  headers: headers.map((header) => ({
    name: header.name,
    value: header.value && textOf(header.value),
  })),
  event: payload.kind === "decoded" ? payload.value : null,
  undecodable: payload.kind === "undecodable" ? payload.reason : undefined,
});

const consumerOf = ({ consumer, generation }: StoredDeadLetter): string =>
  generation === 0 ? consumer : `${consumer} (generation ${generation})`;

const recordOf = ({ topic, partition, offset }: StoredDeadLetter): string =>
  `${topic}/${partition}@${offset}`;

const keyOf = ({ key }: StoredDeadLetter): string => (key ? keyText(key) : "(none)");

/** Keys of row changes are framed Avro: what no terminal can show is told in base64. */
function keyText(key: Uint8Array): string {
  const text = textOf(key);
  return /\p{Cc}/u.test(text) ? `base64:${base64(key)}` : text;
}

function sourceText(source: LetterSource): string {
  switch (source.kind) {
    case "lane":
      return `sequence ${source.sequence} of incarnation ${source.incarnation}`;
    case "change":
      return `change ${source.order} after commit LSN ${source.commitLsn}`;
    case "unknown":
      return "unknown";
    default:
      return source satisfies never;
  }
}

function valueText({ value }: StoredDeadLetter, payload: Payload): string {
  if (payload.kind === "none" || value === null) return "(none)";
  if (payload.kind === "decoded") return `${payload.type ?? ""} ${jsonOf(payload.value)}`.trim();
  return `(undecodable: ${payload.reason}) base64:${base64(value)}`;
}

const indented = (text: string): string => text.replaceAll(/^/gm, "  ");
