import { FatalError, RecordError } from "../../engine/errors.ts";
import type { RebuildFrom } from "../../engine/ports/rebuilds.ts";
import { offset } from "../../engine/position.ts";
import { decodePositionToken } from "../../engine/position-token.ts";

/** What `from` may be, for whoever wrote something else. */
export const fromForms =
  "earliest, a time ago (90s, 30m, 24h, 7d, 2w), an ISO 8601 time, " +
  "offsets (topic/partition:offset, with commas between them) or a Refold-Position";

export interface FromContext {
  readonly nowMs: number;
  /** Of the event store, for the token of another one. */
  readonly incarnation: () => Promise<string>;
}

/**
 * The time or place that a text names; a time without a zone is UTC.
 *
 * A position token names sequences of lanes. A record of sequence s lies at offset s - 1 or later,
 * because an offset holds at most one sequence: what comes after s is read from offset s on, which
 * never begins too late.
 *
 * @throws FatalError `from-invalid`.
 */
export async function parseFrom(text: string, context: FromContext): Promise<RebuildFrom> {
  if (text === "earliest") return { kind: "earliest" };
  const agoMs = durationMs(text);
  if (agoMs !== undefined) return { kind: "time", atMs: Math.max(0, context.nowMs - agoMs) };
  const atMs = timeMs(text);
  if (atMs !== undefined) return { kind: "time", atMs };
  if (text.includes(":")) return { kind: "positions", offsets: text.split(",").map(offsetOf) };
  return { kind: "positions", offsets: await offsetsOfToken(text, context) };
}

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `24h` in milliseconds; undefined where the text is no duration. */
export function durationMs(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  return Number(count) * unitsMs[unit as keyof typeof unitsMs];
}

const isoTime =
  /^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?)?$/;

/** An ISO 8601 time in milliseconds since 1970, UTC where no zone is told; undefined: it is none. */
export function timeMs(text: string): number | undefined {
  if (!isoTime.test(text)) return undefined;
  const isZoned = text.length === 10 || /([Zz]|[+-]\d{2}:?\d{2})$/.test(text.slice(10));
  const ms = Date.parse(isZoned ? text : `${text}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

type OffsetAsked = Extract<RebuildFrom, { kind: "positions" }>["offsets"][number];

function offsetOf(text: string): OffsetAsked {
  const [, topic, partition, at] = /^(.+)\/(\d{1,9}):(\d{1,18})$/.exec(text.trim()) ?? [];
  if (topic === undefined || at === undefined) throw fromInvalid(text);
  return { topic, partition: Number(partition), offset: offset(BigInt(at)) };
}

async function offsetsOfToken(text: string, context: FromContext): Promise<OffsetAsked[]> {
  const token = tokenOf(text);
  const ours = await context.incarnation();
  if (token.incarnation !== ours) {
    throw new FatalError(
      "from-invalid",
      `This position is of the store's life ${token.incarnation}, and this one is ${ours}.`,
      `Give ${fromForms}.`,
    );
  }
  return token.lanes.map(({ topic, partition, sequence }) => ({
    topic,
    partition,
    offset: offset(sequence),
  }));
}

function tokenOf(text: string): ReturnType<typeof decodePositionToken> {
  try {
    return decodePositionToken(text);
  } catch (error) {
    if (error instanceof RecordError) throw fromInvalid(text);
    throw error;
  }
}

const fromInvalid = (text: string): FatalError =>
  new FatalError("from-invalid", `"${text}" names no time and no place.`, `Give ${fromForms}.`);
