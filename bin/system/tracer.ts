import { OpenTelemetryTracer } from "../../connectors/opentelemetry/index.ts";
import type { Tracer } from "../../engine/ports/tracing.ts";
import { refoldVersion } from "../version.ts";

/** Spans go to the SDK that was registered before Refold was loaded (docs/tracing.md). */
export const processTracer = (): Tracer => new OpenTelemetryTracer({ version: refoldVersion() });
