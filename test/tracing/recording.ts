import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { onTestFinished } from "vitest";

import { OpenTelemetryTracer } from "../../connectors/opentelemetry/index.ts";
import type { Tracer } from "../../engine/ports/tracing.ts";

/** A tracer on a real SDK, for the test that runs, and the spans that have ended. */
export function recording(): { readonly tracer: Tracer; readonly spans: () => ReadableSpan[] } {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  onTestFinished(() => provider.shutdown());
  const tracer = new OpenTelemetryTracer({ version: "1", provider });
  return { tracer, spans: () => exporter.getFinishedSpans() };
}
