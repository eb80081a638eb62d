import { endConnections } from "./limits/closing.ts";
import { Connections } from "./limits/connections.ts";
import { limitRequests } from "./limits/request-limits.ts";
import type { ApiServer } from "./context.ts";
import type { ApiDependencies, HealthSources } from "./dependencies.ts";
import { handleErrors } from "./error-handling.ts";
import { newServer } from "./new-server.ts";
import { handleUnknownRoutes } from "./not-found.ts";
import { apiOptions } from "./options.ts";
import { ProblemSchema } from "./problem.ts";
import { carryCorrelation, measureRequests } from "./request-envelope.ts";
import { healthRoutes } from "./routes/health.ts";

export interface ProbesDependencies
  extends HealthSources, Pick<ApiDependencies, "clock" | "metrics" | "random" | "logger"> {
  /** True once the process has begun to stop; it is not ready any more. */
  readonly draining: () => boolean;
}

/** Connections of whoever watches are few. */
const connectionsMax = 100;

/**
 * Health and metrics of a process that serves no API, not yet listening: the API's own routes and
 * bounds, alone.
 */
export function buildProbes(deps: ProbesDependencies): ApiServer {
  const bounds = { connectionsMax, refusedConnectionsMax: connectionsMax };
  const options = apiOptions({ ...bounds, clientConnectionsMax: connectionsMax });
  const connections = new Connections(options);
  const app = newServer({ ...deps, options, connections });
  handleErrors(app);
  handleUnknownRoutes(app);
  carryCorrelation(app, deps.random);
  measureRequests(app, deps.metrics);
  limitRequests(app, { connections, deps, options });
  endConnections(app);
  app.addSchema(ProblemSchema);
  const { readyWithinMs } = options;
  healthRoutes(app, { ...deps, readyWithinMs, faults: () => faultsOf(deps) });
  return app;
}

function faultsOf({ draining }: ProbesDependencies) {
  return draining() ? [{ consumer: "process", reason: "it is stopping" }] : [];
}
