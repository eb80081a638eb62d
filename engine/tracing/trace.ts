import type { EventCodec } from "../ports/codec.ts";
import type { DeadLetters, StoredDeadLetter } from "../ports/dead-letters.ts";
import type { Deadline, Deadlines } from "../ports/deadlines.ts";
import type { EffectLedger, StoredEffect } from "../ports/effect-ledger.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { ReadModelReader } from "../ports/read-model-reader.ts";
import { header } from "../envelope.ts";
import type { AnyProjection } from "../projection.ts";
import type { EventTopic } from "../topic.ts";
import {
  defaultTransactionLimits,
  findTransaction,
  type Transaction,
  type TransactionLimits,
} from "./find-transaction.ts";
import { NoticeTracer, type NoticeSource } from "./notices.ts";
import { StoredEventReader } from "./read-events.ts";
import { RowTracer } from "./rows.ts";
import { parseTraceparent } from "./trace-context.ts";
import { type TimelineEntry, type TimelineParts, timelineOf } from "./timeline.ts";

/** What a trace is read from; what is left out is not told. */
export interface TraceSources {
  readonly eventStore: Pick<EventStore, "read">;
  readonly codec: Pick<EventCodec, "events">;
  readonly reader: Pick<ReadModelReader, "positions">;
  readonly effects?: Pick<EffectLedger, "list"> | undefined;
  readonly deadlines?: Pick<Deadlines, "tagged"> | undefined;
  readonly deadLetters?: Pick<DeadLetters, "list"> | undefined;
  readonly notices?: NoticeSource | undefined;
  readonly projections: readonly AnyProjection[];
  readonly topics: readonly EventTopic[];
  /** See `TransactionQuery`. */
  readonly kinds: readonly string[];
}

/** One business transaction, from its first event to what it waits for. */
export interface Trace extends Omit<Transaction, "events"> {
  readonly id: string;
  readonly startedAtMs: number;
  /** Of the events' trace contexts. */
  readonly traceIds: readonly string[];
  readonly events: number;
  readonly timeline: readonly TimelineEntry[];
}

/** Effects, letters and deadlines of one correlation id or tag. */
const besideMax = 1_000;
/** Events for which notices are looked for: each is a query. */
const noticedEventsMax = 200;

/**
 * Follows a business transaction through commands, events, effects, rows, notices, deadlines and
 * dead letters.
 *
 * @returns undefined where the id names nothing.
 * @throws TransientError when store or registry can't be asked.
 */
export async function traceOf(
  sources: TraceSources,
  id: string,
  limits: TransactionLimits = defaultTransactionLimits,
): Promise<Trace | undefined> {
  const { eventStore, kinds } = sources;
  const found = await findTransaction(eventStore, { id, kinds, limits });
  if (found === undefined) return undefined;
  const { events, ...transaction } = found;
  const timeline = timelineOf(await gather(sources, found));
  const startedAtMs = events[0]?.recordedAtMs ?? 0;
  const traceIds = traceIdsOf(events);
  return { id, startedAtMs, ...transaction, traceIds, events: events.length, timeline };
}

function traceIdsOf(events: Transaction["events"]): string[] {
  const ids = events.map(({ traceparent = "" }) => parseTraceparent(traceparent)?.traceId);
  return [...new Set(ids.filter((id) => id !== undefined))];
}

async function gather(sources: TraceSources, found: Transaction): Promise<TimelineParts> {
  const [made, effects, deadlines, letters] = await Promise.all([
    eventsOf(sources, found),
    effectsOf(sources, found),
    deadlinesOf(sources, found),
    lettersOf(sources, found),
  ]);
  return { ...made, effects, deadlines, letters };
}

async function eventsOf(
  { codec, topics, reader, projections, notices: source }: TraceSources,
  found: Transaction,
): Promise<Pick<TimelineParts, "events" | "notices">> {
  const stored = new StoredEventReader(codec, topics);
  const rowTracer = new RowTracer(reader, projections);
  const noticeTracer = source && new NoticeTracer(source, projections);
  const events: TimelineParts["events"][number][] = [];
  const notices = new Map<string, TimelineParts["notices"][number]>();
  for (const one of found.events) {
    const event = await stored.read(one);
    const rows = await rowTracer.rowsOf(event);
    events.push({ event, rows });
    if (noticeTracer === undefined || events.length > noticedEventsMax) continue;
    for (const notice of await noticeTracer.noticesOf(event, rows)) {
      // Several events may have gone into one flush, and one notice: the last is what made it.
      notices.set(notice.id, { notice, of: one.id });
    }
  }
  return { events, notices: [...notices.values()] };
}

async function effectsOf({ effects }: TraceSources, of: Transaction): Promise<StoredEffect[]> {
  if (effects === undefined) return [];
  const filters = [
    ...of.correlationIds.map((correlationId) => ({ correlationId })),
    ...of.tags.map((tag) => ({ tag })),
  ];
  const found = new Map<string, StoredEffect>();
  for (const filter of filters) {
    for (const one of await effects.list({ ...filter, limit: besideMax })) found.set(one.key, one);
  }
  return [...found.values()];
}

async function deadlinesOf({ deadlines }: TraceSources, of: Transaction): Promise<Deadline[]> {
  if (deadlines === undefined) return [];
  const found = new Map<string, Deadline>();
  for (const tag of of.tags) {
    for (const one of await deadlines.tagged(tag, besideMax)) {
      found.set(JSON.stringify([one.name, one.key]), one);
    }
  }
  return [...found.values()];
}

async function lettersOf(
  { deadLetters }: TraceSources,
  of: Transaction,
): Promise<TimelineParts["letters"]> {
  if (deadLetters === undefined) return [];
  const found: TimelineParts["letters"][number][] = [];
  for (const correlationId of of.correlationIds) {
    for (const letter of await deadLetters.list({ correlationId, limit: besideMax })) {
      found.push({ letter, of: eventIdOf(letter) });
    }
  }
  return found;
}

function eventIdOf({ headers }: StoredDeadLetter): string | undefined {
  const value = headers.find(({ name }) => name === header.id)?.value;
  return value ? Buffer.from(value).toString("utf8") : undefined;
}
