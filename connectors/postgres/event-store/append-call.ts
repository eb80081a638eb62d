import type {
  AppendOptions,
  AppendRequest,
  ConditionItem,
  NewEvent,
} from "../../../engine/ports/event-store.ts";
import { byteaArray, int4Array, int8Array, textArray } from "../binary-array.ts";
import type { Clash, PlannedRequest } from "./call-plan.ts";
import { eventColumns } from "./stored-event.ts";

const parameterTypes = [
  ["text[]", "boolean", "text[]", "integer[]"],
  ["text[]", "bigint[]", "bigint[]"],
  ["integer[]", "bigint[]", "text[]", "text[]", "text[]"],
  ["integer[]", "integer[]", "bigint[]"],
  ["integer[]", "integer[]", "bigint[]"],
  ["text[]", "text[]", "text[]", "bytea[]", "text[]", "text[]", "text[]", "text[]"],
  ["integer[]", "text[]", "integer", "boolean"],
].flat();

const sql = `select a.verdicts, a.positions, a.sequences, a.times, a.clock_ms, a.held_by, a.request,
  ${eventColumns("(a.event).")}
  from refold.append(${parameterTypes.map((type, i) => `$${i + 1}::${type}`).join(", ")}) a`;

/** What a call locks beyond its own requests' needs. */
export interface Locks {
  readonly tags: readonly string[];
  readonly store: boolean;
  /** Distinct, in the order in which every caller locks them. */
  readonly lanes: readonly Lane[];
}

export interface Lane {
  readonly topic: string;
  readonly partition: number;
}

export const laneKey = (lane: Lane): string => `${lane.topic}/${lane.partition}`;

/** Distinct lanes, by topic (code units) and partition: the order of locking. */
export function lanesOf(events: Iterable<NewEvent>): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const event of events) {
    const key = laneKey(event);
    if (!lanes.has(key)) lanes.set(key, { topic: event.topic, partition: event.partition });
  }
  return [...lanes.values()].sort((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  );
}

/**
 * With more tags than this a call would hold a good part of all stripes, and meet every other call
 * anyway: one lock on the store does the same at the cost of one.
 */
const tagsMax = 256;

export function locksOf(requests: readonly AppendRequest[]): Locks {
  const lanes = lanesOf(requests.flatMap((request) => request.events));
  const tags = tagsToLock(requests);
  return tags ? { tags, store: false, lanes } : { tags: [], store: true, lanes };
}

/** Undefined when the whole store has to be locked. */
function tagsToLock(requests: readonly AppendRequest[]): string[] | undefined {
  const tags = new Set<string>();
  for (const { events, condition } of requests) {
    for (const event of events) for (const tag of event.tags) tags.add(tag);
    for (const item of condition) {
      // One tag is enough: an event that matches the item carries it, and so takes its stripe.
      const tag = item.tags?.[0];
      if (tag === undefined) return undefined;
      tags.add(tag);
    }
    if (tags.size > tagsMax) return undefined;
  }
  return [...tags];
}

/** An array's literal, for texts inside an array of texts: arrays of unequal arrays don't exist. */
export const arrayLiteral = (values: readonly string[]): string =>
  values.length === 0 ? "{}" : `{"${values.map(escape).join('","')}"}`;

const escape = (value: string): string =>
  /["\\]/.test(value) ? value.replace(/["\\]/g, "\\$&") : value;

const grantOf = ({ as }: AppendOptions): string =>
  typeof as === "string" ? as : `holder ${as.holder}`;

export interface AppendCall {
  readonly requests: readonly PlannedRequest[];
  readonly clashes: readonly Clash[];
  readonly locks: Locks;
  /** The most newer events that a conflict brings back. */
  readonly newerMax: number;
  /**
   * `index`: recorded events are looked for only where a request has something the matter with it.
   * Otherwise the index of ids finds them, and the call fails with a unique violation, which costs
   * its transaction: for callers who call again.
   */
  readonly duplicates: "looked for" | "index";
}

/** The statement of a call: one named statement, its arrays in binary. */
export function appendStatement(call: AppendCall): {
  name: string;
  text: string;
  values: unknown[];
} {
  const { locks, requests, clashes } = call;
  const values = [
    textArray(locks.tags),
    locks.store,
    textArray(locks.lanes.map((lane) => lane.topic)),
    int4Array(locks.lanes.map((lane) => lane.partition)),
    textArray(requests.map(({ options }) => grantOf(options))),
    ...timeBounds(requests),
    ...itemsOfRequests(requests),
    // The server counts from 1.
    int4Array(clashes.map((clash) => clash.request + 1)),
    int4Array(clashes.map((clash) => clash.event + 1)),
    int8Array(clashes.map((clash) => clash.after)),
    ...eventParameters(requests, locks.lanes),
    call.newerMax,
    call.duplicates === "looked for",
  ];
  return { name: "refold.append", text: sql, values };
}

/** Nulls where nobody has bounds. The clock has whole milliseconds: a bound is the upper one. */
function timeBounds(requests: readonly PlannedRequest[]): (Buffer | null)[] {
  const times = requests.map(({ request }) => request.time);
  if (times.every((time) => time?.notBeforeMs === undefined && time?.beforeMs === undefined)) {
    return [null, null];
  }
  return [
    int8Array(times.map((time) => bound(time?.notBeforeMs))),
    int8Array(times.map((time) => bound(time?.beforeMs))),
  ];
}

const bound = (ms: number | undefined): bigint | undefined =>
  ms === undefined || !Number.isFinite(ms) ? undefined : BigInt(Math.ceil(ms));

function itemsOfRequests(requests: readonly PlannedRequest[]): Buffer[] {
  const request: number[] = [];
  const items: ConditionItem[] = [];
  for (const [index, planned] of requests.entries()) {
    for (const item of planned.request.condition) {
      request.push(index + 1);
      items.push(item);
    }
  }
  return [int4Array(request), ...itemColumns(items)];
}

/** Position, first tag, all tags where there are more, types: what finds an item's events. */
export function itemColumns(items: readonly ConditionItem[]): Buffer[] {
  const severalTags = ({ tags = [] }: ConditionItem): string | null =>
    tags.length > 1 ? arrayLiteral(tags) : null;
  return [
    int8Array(items.map((item) => item.after)),
    textArray(items.map((item) => item.tags?.[0])),
    textArray(items.map(severalTags)),
    textArray(items.map((item) => (item.types ? arrayLiteral(item.types) : null))),
  ];
}

function eventParameters(
  requests: readonly PlannedRequest[],
  lanes: readonly Lane[],
): (Buffer | null)[] {
  const request: number[] = [];
  const events: NewEvent[] = [];
  for (const [index, planned] of requests.entries()) {
    for (const event of planned.request.events) {
      request.push(index + 1);
      events.push(event);
    }
  }
  const [identity, envelope] = outboxColumnsOf(events);
  return [
    int4Array(request),
    ...laneColumns(events, lanes),
    recordedTimes(events),
    ...identity,
    textArray(events.map((event) => arrayLiteral(event.tags))),
    ...envelope,
    ...tagColumns(events),
  ];
}

/** Null where nobody gives any: the store's clock counts. */
const recordedTimes = (events: readonly NewEvent[]): Buffer | null =>
  events.some((event) => event.recordedAtMs !== undefined)
    ? int8Array(events.map((event) => bound(event.recordedAtMs)))
    : null;

/** Each tag with the number of its event, from 1. */
function tagColumns(events: readonly NewEvent[]): [Buffer, Buffer] {
  const numbers: number[] = [];
  const tags: string[] = [];
  for (const [index, event] of events.entries()) {
    for (const tag of event.tags) {
      numbers.push(index + 1);
      tags.push(tag);
    }
  }
  return [int4Array(numbers), textArray(tags)];
}

/** The number of each event's lane, from 1. */
export function laneColumns(events: readonly NewEvent[], lanes: readonly Lane[]): [Buffer] {
  const numbers = new Map(lanes.map((lane, index) => [laneKey(lane), index + 1]));
  return [int4Array(events.map((event) => numbers.get(laneKey(event))))];
}

/** Id, type, key, value; and the columns of the envelope that the caller gives. */
export function outboxColumnsOf(events: readonly NewEvent[]): [Buffer[], Buffer[]] {
  return [
    [
      textArray(events.map((event) => event.id)),
      textArray(events.map((event) => event.type)),
      textArray(events.map((event) => event.key)),
      byteaArray(events.map((event) => event.value)),
    ],
    [
      textArray(events.map((event) => event.correlationId)),
      textArray(events.map((event) => event.causationId)),
      textArray(events.map((event) => event.traceparent)),
    ],
  ];
}
