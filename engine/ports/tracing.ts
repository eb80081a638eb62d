/**
 * Spans as a structural port. Names and attributes are those of OpenTelemetry's semantic
 * conventions for HTTP and messaging (https://opentelemetry.io/docs/specs/semconv/messaging/);
 * contexts are W3C `traceparent` texts, as events carry them.
 */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  readonly name: string;
  readonly kind: "server" | "client" | "producer" | "consumer";
  /** Of whoever caused it; left out or invalid: it begins a trace. */
  readonly parent?: string | undefined;
  /** Of others that it has to do with. */
  readonly links?: readonly string[];
  readonly attributes: SpanAttributes;
  /** When it began, in milliseconds since 1970, where that is past already. */
  readonly startedAtMs?: number | undefined;
}

/** One that is under way. One that is never ended is never told of. */
export interface Span {
  /** The context for what it causes; undefined: there is none, and what came along goes on. */
  readonly traceparent: string | undefined;
  /** Attributes that are known only now. Later calls change nothing. */
  end(attributes?: SpanAttributes): void;
  /** Ends it as failed. `type` is low in variety: an error's code or class. */
  fail(type: string, message?: string): void;
}

export interface Tracer {
  /** False: spans go nowhere, so that callers needn't gather what they would say. */
  readonly records: boolean;
  /** Never throws. */
  start(span: SpanStart): Span;
}

const noSpan: Span = { traceparent: undefined, end: () => undefined, fail: () => undefined };

export const noTracer: Tracer = { records: false, start: () => noSpan };
