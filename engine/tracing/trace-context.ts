import { nameBasedId } from "../decision/event-ids.ts";

/**
 * The context of a trace in one line, as W3C Trace Context, level 1, has it in `traceparent`
 * (https://www.w3.org/TR/trace-context/): version, trace id, the id of the span that is the parent,
 * flags; in lower-case hexadecimal.
 */
export interface TraceContext {
  /** 32 digits, not all of them 0. */
  readonly traceId: string;
  /** 16 digits, not all of them 0. */
  readonly spanId: string;
  /** Two digits; the lowest bit says that the trace may be recorded. */
  readonly flags: string;
}

/** What a trace context is made of where none came along. */
interface Traced {
  readonly correlationId: string;
  readonly traceparent?: string | undefined;
}

/** The event store keeps every trace, hence the flag that says so. */
const recorded = "01";

const traceparentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const traceIdPattern = /^[0-9a-f]{32}$/;
const onlyZeros = /^0+$/;

/**
 * Reads a `traceparent`; undefined where it is none. Of a later version the first four fields count,
 * as the specification asks.
 */
export function parseTraceparent(text: string): TraceContext | undefined {
  const found = traceparentPattern.exec(text);
  if (found === null) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", rest] = found;
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (onlyZeros.test(traceId) || onlyZeros.test(spanId)) return undefined;
  return { traceId, spanId, flags };
}

export const traceparentOf = ({ traceId, spanId, flags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${flags}`;

/** The same correlation id always gives the same trace; one that is a UUID or a trace id gives that. */
export function traceIdOf(correlationId: string): string {
  const digits = uuidPattern.test(correlationId)
    ? correlationId.replaceAll("-", "").toLowerCase()
    : correlationId;
  if (traceIdPattern.test(digits) && !onlyZeros.test(digits)) return digits;
  return nameBasedId(`trace/${correlationId}`).replaceAll("-", "");
}

/** A span id out of a UUID: its last 64 bits, which the variant keeps from being all 0. */
export const spanIdOf = (uuid: string): string => uuid.replaceAll("-", "").slice(-16);

/**
 * The context that goes on from here: of the same trace, with a span of its own. Where none came
 * along, or none that is valid, a trace begins, whose id follows from the correlation id.
 */
export function childTraceparent(of: Traced, spanId: string): string {
  const parent = of.traceparent === undefined ? undefined : parseTraceparent(of.traceparent);
  if (parent !== undefined) return traceparentOf({ ...parent, spanId });
  return traceparentOf({ traceId: traceIdOf(of.correlationId), spanId, flags: recorded });
}

/** The context that came along; where none did, that of the trace which begins with it. */
export function carriedTraceparent(of: Traced): string {
  const parent = of.traceparent === undefined ? undefined : parseTraceparent(of.traceparent);
  if (parent !== undefined) return traceparentOf(parent);
  const spanId = spanIdOf(nameBasedId(`span/${of.correlationId}`));
  return childTraceparent({ correlationId: of.correlationId }, spanId);
}
