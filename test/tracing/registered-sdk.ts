/**
 * What a user registers by `NODE_OPTIONS=--import`: an SDK, here with an exporter that appends the
 * spans' names and traces to the file that SPANS names.
 */
import { appendFileSync } from "node:fs";

import { trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";

const file = process.env["SPANS"] ?? "spans";

const exporter: SpanExporter = {
  export(spans: ReadableSpan[], done) {
    for (const span of spans) appendFileSync(file, `${span.spanContext().traceId} ${span.name}\n`);
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};

trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);
