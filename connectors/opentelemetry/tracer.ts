import {
  type Attributes,
  isSpanContextValid,
  type Link,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span as ApiSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer as ApiTracer,
  type TracerProvider,
} from "@opentelemetry/api";

import type { Span, SpanStart, Tracer } from "../../engine/ports/tracing.ts";
import { parseTraceparent, traceparentOf } from "../../engine/tracing/trace-context.ts";

export interface OpenTelemetryOptions {
  /** The instrumentation's version, as spans tell it. */
  readonly version: string;
  /** Default: the provider that was registered globally before this was called. */
  readonly provider?: TracerProvider;
}

const scope = "refold";

/**
 * Spans by OpenTelemetry's API. Where they go, and which are sampled, is the registered SDK's
 * affair; where none is registered, nothing is recorded and nothing is gathered.
 */
export class OpenTelemetryTracer implements Tracer {
  readonly records: boolean;
  readonly #tracer: ApiTracer;

  constructor({ version, provider = trace.getTracerProvider() }: OpenTelemetryOptions) {
    this.records = isRegistered(provider);
    this.#tracer = provider.getTracer(scope, version);
  }

  start(start: SpanStart): Span {
    const { name, kind, attributes, startedAtMs } = start;
    const parent = start.parent === undefined ? undefined : contextOf(start.parent);
    const span = this.#tracer.startSpan(
      name,
      {
        kind: kinds[kind],
        attributes,
        links: (start.links ?? []).flatMap(linkOf),
        ...(startedAtMs === undefined ? {} : { startTime: startedAtMs }),
      },
      parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
    );
    return new RecordedSpan(span);
  }
}

class RecordedSpan implements Span {
  readonly #span: ApiSpan;

  constructor(span: ApiSpan) {
    this.#span = span;
  }

  get traceparent(): string | undefined {
    const context = this.#span.spanContext();
    if (!isSpanContextValid(context)) return undefined;
    const flags = (context.traceFlags & 0xff).toString(16).padStart(2, "0");
    return traceparentOf({ ...context, flags });
  }

  end(attributes: Attributes = {}): void {
    this.#span.setAttributes(attributes);
    this.#span.end();
  }

  fail(type: string, message?: string): void {
    const status = message === undefined ? {} : { message };
    this.#span.setAttribute("error.type", type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, ...status });
    this.#span.end();
  }
}

const kinds: Readonly<Record<SpanStart["kind"], SpanKind>> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Until an SDK is registered, the global provider is a proxy with nothing behind it. */
const isRegistered = (provider: TracerProvider): boolean =>
  !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(scope) !== undefined;

function contextOf(traceparent: string): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent);
  if (parsed === undefined) return undefined;
  const { traceId, spanId, flags } = parsed;
  return { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
}

function linkOf(traceparent: string): Link[] {
  const context = contextOf(traceparent);
  return context === undefined ? [] : [{ context }];
}
