import { type Static, Type } from "typebox";

import type { Trace, TimelineEntry } from "../../engine/tracing/index.ts";
import { iso } from "../shapes.ts";
import { plainJson } from "./plain-json.ts";

const Time = Type.String({ format: "date-time" });
const Texts = Type.Array(Type.String());

const RowOfEvent = Type.Object({
  projection: Type.String(),
  key: Type.String(),
  state: Type.String({ description: "applied, waiting or unbuilt" }),
});

/** One line of a trace; which of the optional members it has follows from its kind. */
export const TraceEntry = Type.Object({
  kind: Type.String({ description: "cause, event, effect, deadline, notice or letter" }),
  at: Time,
  sinceStartMs: Type.Number(),
  depth: Type.Integer({ description: "How many causes stand above it." }),
  text: Type.Optional(Type.String({ description: "Of a cause: what the events answer." })),
  id: Type.Optional(Type.String()),
  type: Type.Optional(Type.String()),
  topic: Type.Optional(Type.String()),
  partition: Type.Optional(Type.Integer()),
  sequence: Type.Optional(Type.Integer()),
  position: Type.Optional(Type.Integer()),
  key: Type.Optional(Type.String()),
  correlationId: Type.Optional(Type.String()),
  causationId: Type.Optional(Type.String()),
  traceparent: Type.Optional(Type.String()),
  event: Type.Optional(Type.Unknown({ description: "Of an event: its fields." })),
  undecodable: Type.Optional(Type.String()),
  rows: Type.Optional(Type.Array(RowOfEvent)),
  step: Type.Optional(Type.String({ description: "requested, started, done or failed" })),
  attempts: Type.Optional(Type.Integer()),
  state: Type.Optional(Type.String()),
  answer: Type.Optional(Type.Unknown()),
  error: Type.Optional(Type.String()),
  name: Type.Optional(Type.String({ description: "Of a deadline." })),
  projection: Type.Optional(Type.String()),
  row: Type.Optional(Type.String()),
  consumer: Type.Optional(Type.String()),
  letter: Type.Optional(Type.String({ description: "Id of the dead letter." })),
  cause: Type.Optional(Type.String()),
  disposition: Type.Optional(Type.String()),
});

export const TraceShape = Type.Object({
  id: Type.String(),
  startedAt: Time,
  correlationIds: Texts,
  tags: Texts,
  traceIds: Texts,
  events: Type.Integer(),
  cut: Type.Boolean({ description: "There is more than the limits let through." }),
  timeline: Type.Array(TraceEntry),
});

export function traceShape(trace: Trace): Static<typeof TraceShape> {
  const { id, startedAtMs, correlationIds, tags, events, cut, timeline } = trace;
  return {
    id,
    startedAt: iso(startedAtMs),
    correlationIds: [...correlationIds],
    tags: [...tags],
    traceIds: [...trace.traceIds],
    events,
    cut,
    timeline: timeline.map(entryShape),
  };
}

function entryShape(entry: TimelineEntry): Static<typeof TraceEntry> {
  const { kind, atMs, sinceStartMs, depth } = entry;
  return { kind, at: iso(atMs), sinceStartMs, depth, ...ownMembers(entry) };
}

function ownMembers(entry: TimelineEntry): Partial<Static<typeof TraceEntry>> {
  switch (entry.kind) {
    case "cause":
      return { text: entry.text, correlationId: entry.correlationId };
    case "event":
      return eventMembers(entry);
    case "effect":
      return effectMembers(entry);
    case "deadline": {
      const { name, key, correlationId, causationId } = entry.deadline;
      return { name, key, correlationId, ...(causationId ? { causationId } : {}) };
    }
    case "notice": {
      const { id, type, topic, partition, sequence, key, projection, row } = entry.notice;
      return { id, type, topic, partition, sequence: Number(sequence), key, projection, row };
    }
    case "letter": {
      const { id, consumer, topic, partition, cause, message, disposition } = entry.letter;
      const { attempts } = entry.letter;
      const of = { letter: String(id), consumer, topic, partition };
      return { ...of, cause, error: message, disposition, attempts };
    }
    default:
      return entry satisfies never;
  }
}

type Of<Kind> = Extract<TimelineEntry, { readonly kind: Kind }>;

function eventMembers({ event, rows }: Of<"event">): Partial<Static<typeof TraceEntry>> {
  const { stored, fields, undecodable } = event;
  const { id, type, topic, partition, key, correlationId, causationId, traceparent } = stored;
  return {
    id,
    type,
    topic,
    partition,
    sequence: Number(stored.sequence),
    position: Number(stored.position),
    key,
    correlationId,
    ...(causationId === undefined ? {} : { causationId }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(undecodable === undefined ? { event: plainJson(fields) } : { undecodable }),
    rows: [...rows],
  };
}

/** Secrets are never told. */
function effectMembers({ step, effect }: Of<"effect">): Partial<Static<typeof TraceEntry>> {
  const { key, kind: type, state, attempts, correlationId, causationId, answer, error } = effect;
  return {
    key,
    type,
    step,
    state,
    attempts,
    correlationId,
    ...(causationId === undefined ? {} : { causationId }),
    ...(step === "done" ? { answer: plainJson(answer) } : {}),
    ...(error === undefined ? {} : { error }),
  };
}
