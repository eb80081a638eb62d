/** Spans by OpenTelemetry's API, for whatever SDK the process has registered. */
export { OpenTelemetryTracer, type OpenTelemetryOptions } from "./tracer.ts";
