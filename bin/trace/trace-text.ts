import type { EffectStep, TimelineEntry, Trace, TracedRow } from "../../engine/tracing/index.ts";
import { jsonOf } from "../log/printable.ts";

/** Longer texts of fields are cut: `--json` has them whole. */
const fieldsCharactersMax = 160;

const effectWords: Readonly<Record<EffectStep, string>> = {
  requested: "requested",
  started: "tried",
  done: "answered",
  failed: "given up",
};

/** A business transaction for people: a line for everything that happened, below what caused it. */
export function traceText(trace: Trace): string {
  const lines = trace.timeline.flatMap(entryLines);
  const cut = trace.cut ? ["", "There is more than --events-max lets through."] : [];
  return [...headLines(trace), "", ...lines, ...cut].join("\n");
}

function headLines({ id, startedAtMs, timeline, ...trace }: Trace): string[] {
  const tookMs = Math.max(0, ...timeline.map((one) => (isOver(one) ? one.sinceStartMs : 0)));
  const fields: (readonly [string, string])[] = [
    ["transaction", id],
    ["began", `${new Date(startedAtMs).toISOString()}, ${trace.events} events in ${tookMs} ms`],
    ["correlation", trace.correlationIds.join(", ")],
    ["trace", trace.traceIds.join(", ")],
    ["about", trace.tags.join(", ")],
  ];
  return fields.flatMap(([name, text]) => (text === "" ? [] : [`${name.padEnd(13)}${text}`]));
}

/** Deadlines that are waited for lie ahead. */
const isOver = ({ kind }: TimelineEntry): boolean => kind !== "deadline";

function entryLines(entry: TimelineEntry): string[] {
  const since = `+${entry.sinceStartMs} ms`.padStart(12);
  const indent = "  ".repeat(entry.depth);
  const [first = "", ...more] = entryTexts(entry);
  return [
    `${since}  ${indent}${first}`,
    ...more.map((text) => `${" ".repeat(14)}${indent}  ${text}`),
  ];
}

function entryTexts(entry: TimelineEntry): string[] {
  switch (entry.kind) {
    case "cause":
      return [entry.text];
    case "event":
      return eventTexts(entry);
    case "effect": {
      const { key, attempts, error } = entry.effect;
      const tries = entry.step === "started" ? ` (try ${attempts})` : "";
      const why = entry.step === "failed" && error !== undefined ? `: ${error}` : "";
      return [`effect ${key} ${effectWords[entry.step]}${tries}${why}`];
    }
    case "deadline": {
      const { name, key, atMs } = entry.deadline;
      return [`deadline ${name}/${key} is waited for until ${new Date(atMs).toISOString()}`];
    }
    case "notice": {
      const { type, topic, partition, sequence, row } = entry.notice;
      return [`notice ${shortName(type)} of ${row} (${topic}/${partition}:${sequence})`];
    }
    case "letter": {
      const { id, consumer, cause, message, disposition } = entry.letter;
      return [`dead letter ${id} of ${consumer}, ${disposition}: ${cause}: ${message}`];
    }
    default:
      return entry satisfies never;
  }
}

function eventTexts({ event, rows }: Extract<TimelineEntry, { readonly kind: "event" }>): string[] {
  const { stored, name, fields, undecodable } = event;
  const place = `${stored.topic}/${stored.partition}:${stored.sequence} @${stored.position}`;
  return [
    `${name}  ${place}  ${stored.id}`,
    undecodable === undefined ? fieldsText(fields) : `(undecodable: ${undecodable})`,
    ...(rows.length === 0 ? [] : [`rows: ${rows.map(rowText).join(", ")}`]),
  ];
}

const rowText = ({ projection, key, state }: TracedRow): string =>
  `${projection} ${key}${state === "applied" ? "" : ` (${state})`}`;

function fieldsText(fields: unknown): string {
  const parts = Object.entries(fields as Record<string, unknown>)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : jsonOf(value)}`);
  const text = parts.join(" ");
  return text.length <= fieldsCharactersMax ? text : `${text.slice(0, fieldsCharactersMax)}...`;
}

const shortName = (type: string): string => type.slice(type.lastIndexOf(".") + 1);
