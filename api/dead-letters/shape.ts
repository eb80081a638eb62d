import { type Static, Type } from "typebox";

import type {
  LetterAct,
  LetterGroup,
  LetterOrder,
  LetterSource,
  LetterSurvey,
  StoredDeadLetter,
} from "../../engine/ports/dead-letters.ts";
import type { LetterTrials } from "../../engine/runner/letter-trials.ts";
import { header } from "../../engine/envelope.ts";
import { letterFacts, letterHeader } from "../../engine/task/letter-facts.ts";
import { nullable } from "../shapes.ts";

const Time = Type.String({ format: "date-time" });
const Action = Type.Enum(["redrive", "discard", "discard-with-parked"]);
const Text = nullable(Type.String());

const Source = Type.Union([
  Type.Object({
    kind: Type.Literal("lane"),
    incarnation: Type.String(),
    sequence: Type.String(),
  }),
  Type.Object({
    kind: Type.Literal("change"),
    commitLsn: Type.String(),
    order: Type.Integer(),
  }),
  Type.Object({ kind: Type.Literal("unknown") }),
]);

const letterMembers = {
  id: Type.String(),
  disposition: Type.Enum(["failed", "waiting", "redriven", "discarded"]),
  consumer: Type.String(),
  generation: Type.Integer({ description: "Of the projection; 0 for a processor." }),
  topic: Type.String(),
  partition: Type.Integer(),
  offset: Type.String(),
  source: Source,
  key: nullable(Type.String({ description: "As UTF-8 text, or `base64:` and its bytes." })),
  type: nullable(Type.String({ description: "Full name of the event type." })),
  schemaId: nullable(Type.Integer({ description: "Of the frame before the value." })),
  correlationId: Text,
  cause: Type.String(),
  message: Type.String(),
  attempts: Type.Integer(),
  recordedAt: Time,
  firstAt: Time,
  lastAt: Time,
  asked: nullable(Action),
  settledAt: nullable(Time),
  reason: Text,
  edited: Type.Boolean(),
};

export const Letter = Type.Object(letterMembers);

/** A letter as programs are told of it, over HTTP and by the command line; without its bytes. */
export function letterShape(letter: StoredDeadLetter): Static<typeof Letter> {
  const { id, disposition, consumer, generation, topic, partition, cause, message } = letter;
  const facts = letterFacts(letter);
  return {
    id: String(id),
    disposition,
    consumer,
    generation,
    topic,
    partition,
    offset: String(letter.offset),
    source: sourceShape(letter.source),
    key: letter.key && keyText(letter.key),
    type: facts.type ?? null,
    schemaId: facts.schemaId ?? null,
    correlationId: facts.correlationId ?? null,
    cause,
    message,
    attempts: letter.attempts,
    recordedAt: new Date(letter.timestampMs).toISOString(),
    firstAt: letter.firstAt.toISOString(),
    lastAt: letter.lastAt.toISOString(),
    asked: letter.asked?.action ?? null,
    settledAt: letter.settledAt?.toISOString() ?? null,
    reason: letter.reason ?? letter.asked?.reason ?? null,
    edited: letter.edit !== undefined,
  };
}

function sourceShape(source: LetterSource): Static<typeof Source> {
  switch (source.kind) {
    case "lane":
      return { ...source, sequence: String(source.sequence) };
    case "change":
      return { ...source, commitLsn: String(source.commitLsn) };
    case "unknown":
      return source;
    default:
      return source satisfies never;
  }
}

/** A value as it was read: `value` where it could be decoded, otherwise `fault`. */
export interface ReadValue {
  readonly value?: unknown;
  readonly fault?: string;
}

const Value = Type.Object({
  bytes: nullable(Type.String({ description: "Base64." })),
  decoded: Type.Optional(Type.Unknown({ description: "As its writer's schema has it." })),
  fault: Type.Optional(Type.String({ description: "Why it can't be decoded." })),
});

const Act = Type.Object({
  at: Time,
  act: Type.Enum(["redrive", "discard", "discard-with-parked", "edit"]),
  by: Type.String(),
  reason: Text,
  order: Text,
  value: nullable(Type.String({ description: "Of an edit, in base64." })),
});

export const WholeLetter = Type.Object({
  ...letterMembers,
  stack: Text,
  causationId: Text,
  traceparent: Text,
  keyBytes: nullable(Type.String({ description: "Base64." })),
  headers: Type.Array(Type.Object({ name: Type.String(), value: Text })),
  value: Value,
  edit: nullable(
    Type.Object(
      { by: Type.String(), reason: Text, at: Time, value: Value },
      {
        description: "What is redriven in place of the value, which stays.",
      },
    ),
  ),
  waitingBehind: Type.Integer({ description: "Later records of the key that wait for this one." }),
  acts: Type.Array(Act, { description: "What was done to it, the oldest first." }),
});

/** What is known of a letter beside itself. */
export interface LetterSurroundings {
  readonly value: ReadValue;
  readonly edited: ReadValue | undefined;
  readonly waitingBehind: number;
  readonly acts: readonly LetterAct[];
}

export function wholeLetterShape(
  letter: StoredDeadLetter,
  around: LetterSurroundings,
): Static<typeof WholeLetter> {
  const { headers, edit } = letter;
  return {
    ...letterShape(letter),
    stack: letter.stack ?? null,
    causationId: letterHeader(headers, header.causationId) ?? null,
    traceparent: letterHeader(headers, header.traceparent) ?? null,
    keyBytes: letter.key && base64(letter.key),
    headers: headers.map(({ name, value }) => ({ name, value: value && shownText(value) })),
    value: valueShape(letter.value, around.value),
    edit:
      edit === undefined
        ? null
        : {
            by: edit.by,
            reason: edit.reason ?? null,
            at: edit.at.toISOString(),
            value: valueShape(edit.value, around.edited ?? {}),
          },
    waitingBehind: around.waitingBehind,
    acts: around.acts.map(({ at, act, by, reason, order, value }) => ({
      at: at.toISOString(),
      act,
      by,
      reason: reason ?? null,
      order: order === undefined ? null : String(order),
      value: value === undefined ? null : base64(value),
    })),
  };
}

const valueShape = (bytes: Uint8Array | null, { value, fault }: ReadValue) => ({
  bytes: bytes && base64(bytes),
  ...(value === undefined ? {} : { decoded: value }),
  ...(fault === undefined ? {} : { fault }),
});

export const Group = Type.Object({
  consumer: Type.String(),
  cause: Type.String(),
  type: Text,
  schemaId: nullable(Type.Integer()),
  topic: Type.String(),
  letters: Type.Integer(),
  keys: Type.Integer({ description: "Distinct keys; records without a key left out." }),
  waiting: Type.Integer({ description: "Letters that wait behind them." }),
  firstAt: Time,
  lastAt: Time,
  example: Type.Object({ id: Type.String(), message: Type.String() }),
});

export const groupShape = (group: LetterGroup): Static<typeof Group> => ({
  ...group,
  type: group.type ?? null,
  schemaId: group.schemaId ?? null,
  firstAt: group.firstAt.toISOString(),
  lastAt: group.lastAt.toISOString(),
  example: { id: String(group.example.id), message: group.example.message },
});

export const Order = Type.Object({
  id: Type.String(),
  action: Action,
  by: Type.String(),
  reason: Text,
  at: Time,
  state: Type.Enum(["open", "asked", "stopped"], {
    description:
      "`open`: not all of its letters are asked for yet; `asked`: all are; `stopped`: by an " +
      "operator.",
  }),
  stoppedBy: nullable(Type.String()),
  stoppedAt: nullable(Time),
  done: Type.Boolean({ description: "Nothing more comes of it." }),
  lettersPerSecond: nullable(Type.Number()),
  matched: Type.Integer(),
  asked: Type.Integer(),
  unanswered: Type.Integer(),
  redriven: Type.Integer(),
  discarded: Type.Integer(),
  failed: Type.Integer({ description: "Tried, and failed again." }),
});

export function orderShape(order: LetterOrder): Static<typeof Order> {
  const { action, by, state, matched, asked, unanswered, redriven, discarded, failed } = order;
  return {
    id: String(order.id),
    action,
    by,
    reason: order.reason ?? null,
    at: order.at.toISOString(),
    state,
    stoppedBy: order.stopped?.by ?? null,
    stoppedAt: order.stopped?.at.toISOString() ?? null,
    done: state !== "open" && unanswered === 0,
    lettersPerSecond: order.lettersPerSecond ?? null,
    matched,
    asked,
    unanswered,
    redriven,
    discarded,
    failed,
  };
}

const Trial = Type.Object(
  {
    tried: Type.Integer({ description: "Decoded and folded, with those that wait behind." }),
    wouldWork: Type.Integer(),
    wouldFail: Type.Integer(),
    untried: Type.Integer({
      description: "Behind one that would fail, or of a consumer that this code doesn't have.",
    }),
    more: Type.Boolean({ description: "There are more letters than a dry run tries." }),
    faults: Type.Array(
      Type.Object({ id: Type.String(), cause: Type.String(), message: Type.String() }),
      { description: "The first that would fail." },
    ),
  },
  { description: "The first letters as a redrive would find them. Nothing of it is written." },
);

/** Faults that a dry run tells one by one. */
const faultsMax = 20;

export const trialShape = ({ wouldFail, ...counts }: LetterTrials): Static<typeof Trial> => ({
  ...counts,
  wouldFail: wouldFail.length,
  faults: wouldFail
    .slice(0, faultsMax)
    .flatMap(({ letter, fault }) => (fault ? [{ id: String(letter.id), ...fault }] : [])),
});

export const Survey = Type.Object({
  letters: Type.Integer({ description: "Failed letters that would be asked for." }),
  keys: Type.Integer(),
  waiting: Type.Integer({ description: "Letters that wait behind them, and would follow." }),
  seconds: nullable(Type.Integer({ description: "About how long it would take at this pace." })),
  first: Type.Array(
    Type.Object({
      consumer: Type.String(),
      topic: Type.String(),
      partition: Type.Integer(),
      key: Text,
      letters: Type.Integer(),
      waiting: Type.Integer(),
      firstId: Type.String(),
    }),
    { description: "The first keys, in order of their oldest letter." },
  ),
  trial: Type.Optional(Trial),
});

export function surveyShape(
  survey: LetterSurvey,
  lettersPerSecond: number | undefined,
): Static<typeof Survey> {
  const { letters, keys, waiting, first } = survey;
  const paced = lettersPerSecond === undefined ? null : (letters + waiting) / lettersPerSecond;
  return {
    letters,
    keys,
    waiting,
    seconds: paced && Math.ceil(paced),
    first: first.map(({ consumer, topic, partition, key, firstId, ...counts }) => ({
      consumer,
      topic,
      partition,
      key: key && keyText(key),
      letters: counts.letters,
      waiting: counts.waiting,
      firstId: String(firstId),
    })),
  };
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text, or base64 marked as such where the bytes are no UTF-8. */
function shownText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return `base64:${base64(bytes)}`;
  }
}

/** Keys of row changes are framed Avro: what no terminal can show is told in base64. */
export function keyText(key: Uint8Array): string {
  const text = shownText(key);
  return /\p{Cc}/u.test(text) ? `base64:${base64(key)}` : text;
}
