import type { Static } from "typebox";

import {
  type Group,
  letterShape,
  type Order,
  type Survey,
  type WholeLetter,
} from "../../api/dead-letters/shape.ts";
import type { StoredDeadLetter } from "../../engine/ports/dead-letters.ts";
import { jsonOf } from "../log/printable.ts";
import { table } from "../table.ts";

const headings = ["id", "state", "consumer", "record", "key", "cause", "tries", "since"];

/** Letters for people, a line each. */
export function lettersTable(letters: readonly StoredDeadLetter[]): string {
  if (letters.length === 0) return "No dead letters.";
  const rows = letters.map((letter) => {
    const shown = letterShape(letter);
    const edited = shown.edited ? ", edited" : "";
    return [
      shown.id,
      `${shown.disposition}${edited}${shown.asked ? `, ${shown.asked} asked` : ""}`,
      consumerOf(shown),
      recordOf(shown),
      shown.key ?? "(none)",
      shown.cause,
      String(shown.attempts),
      shown.firstAt,
    ];
  });
  return table(headings, rows);
}

const groupHeadings = [
  "letters",
  "keys",
  "waiting",
  "consumer",
  "cause",
  "type",
  "topic",
  "first",
  "last",
  "example",
];

/** Letters by fault, a line each. */
export function groupsTable(groups: readonly Static<typeof Group>[]): string {
  if (groups.length === 0) return "No dead letters.";
  const rows = groups.map((group) => [
    String(group.letters),
    String(group.keys),
    String(group.waiting),
    group.consumer,
    group.cause,
    group.type ?? (group.schemaId === null ? "(none)" : `schema ${group.schemaId}`),
    group.topic,
    group.firstAt,
    group.lastAt,
    `${group.example.id}: ${group.example.message}`,
  ]);
  return table(groupHeadings, rows);
}

/** One letter whole. */
export function letterText(letter: Static<typeof WholeLetter>): string {
  const { edit } = letter;
  const fields: (readonly [string, string | null])[] = [
    ["letter", letter.id],
    ["state", letter.disposition],
    ["asked", letter.asked],
    ["consumer", consumerOf(letter)],
    ["record", recordOf(letter)],
    ["source", sourceText(letter.source)],
    ["type", letter.type],
    ["correlation", letter.correlationId],
    ["causation", letter.causationId],
    ["traceparent", letter.traceparent],
    ["recorded at", letter.recordedAt],
    ["set aside at", letter.firstAt],
    ["last tried at", `${letter.lastAt} (tries: ${letter.attempts})`],
    ["settled at", letter.settledAt],
    ["reason", letter.reason],
    ["cause", `${letter.cause}: ${letter.message}`],
    ["key", letter.key ?? "(none)"],
    ["behind it", letter.waitingBehind === 0 ? null : `${letter.waitingBehind} wait`],
    ["value", valueText(letter.value)],
    ["edited", edit && `${edit.at} by ${edit.by}${because(edit.reason)}`],
    ["new value", edit && valueText(edit.value)],
  ];
  const lines = fields.flatMap(([name, text]) =>
    text === null ? [] : [`${name.padEnd(14)}${text}`],
  );
  const headers = letter.headers.map(({ name, value }) => `  ${name}: ${value ?? ""}`);
  const acts = letter.acts.map(
    ({ at, act, by, reason, order }) =>
      `  ${at} ${act} by ${by}${because(reason)}${order === null ? "" : `, order ${order}`}`,
  );
  return [
    ...lines,
    ...headed("headers", headers),
    ...headed("done to it", acts),
    ...headed("stack", letter.stack === null ? [] : [letter.stack.replaceAll(/^/gm, "  ")]),
  ].join("\n");
}

/** What an order would mean. */
export function surveyText(survey: Static<typeof Survey>): string {
  const { letters, keys, waiting, seconds, first, trial } = survey;
  const pace = seconds === null ? "" : `, in about ${seconds} s`;
  const rows = first.map((key) => [
    key.consumer,
    `${key.topic}/${key.partition}`,
    key.key ?? "(none)",
    String(key.letters),
    String(key.waiting),
    key.firstId,
  ]);
  const shown =
    rows.length === 0
      ? []
      : [table(["consumer", "partition", "key", "letters", "waiting", "first"], rows)];
  return [
    `${letters} letters of ${keys} keys, with ${waiting} that wait behind them${pace}.`,
    ...(trial === undefined ? [] : [trialText(trial)]),
    ...shown,
  ].join("\n");
}

function trialText(trial: NonNullable<Static<typeof Survey>["trial"]>): string {
  const { tried, wouldWork, wouldFail, untried, more, faults } = trial;
  const counts = `${wouldWork} would work and ${wouldFail} would fail`;
  const left =
    untried === 0 ? "" : `; ${untried} stand behind them, or can't be tried by this code`;
  const first = more ? "the first " : "";
  const lines = faults.map(
    ({ id, cause, message }) => `letter ${id} would fail: ${cause}: ${message}`,
  );
  return [`Of ${first}${tried} that were tried ${counts}${left}.`, ...lines].join("\n");
}

/** Orders for people, a line each. */
export function ordersTable(orders: readonly Static<typeof Order>[]): string {
  if (orders.length === 0) return "Nothing was ordered.";
  const rows = orders.map((order) => [
    order.id,
    order.action,
    order.stoppedBy === null ? order.state : `${order.state} by ${order.stoppedBy}`,
    `${order.asked - order.unanswered} of ${order.matched}`,
    String(order.failed),
    order.lettersPerSecond === null ? "" : `${order.lettersPerSecond}/s`,
    order.by,
    order.at,
    order.reason ?? "",
  ]);
  return table(["order", "action", "state", "done", "failed", "pace", "by", "at", "reason"], rows);
}

const headed = (heading: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [heading, ...lines];

const because = (reason: string | null): string => (reason === null ? "" : ` (${reason})`);

const consumerOf = ({ consumer, generation }: { consumer: string; generation: number }): string =>
  generation === 0 ? consumer : `${consumer} (generation ${generation})`;

const recordOf = ({
  topic,
  partition,
  offset,
}: {
  topic: string;
  partition: number;
  offset: string;
}): string => `${topic}/${partition}@${offset}`;

function sourceText(source: Static<typeof WholeLetter>["source"]): string {
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

function valueText({ bytes, decoded, fault }: Static<typeof WholeLetter>["value"]): string {
  if (bytes === null) return "(none)";
  return fault === undefined ? jsonOf(decoded) : `(undecodable: ${fault}) base64:${bytes}`;
}
