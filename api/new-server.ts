import fastify, { type FastifyBaseLogger, LogController } from "fastify";
import { pino } from "pino";

import type { ApiServer } from "./context.ts";
import { problemOf } from "./error-handling.ts";
import { httpServer, type ServerTls } from "./http-server.ts";
import type { Connections } from "./limits/connections.ts";
import { answerProtocolError } from "./limits/protocol-errors.ts";
import { type TrustedProxies, trustOf } from "./limits/trusted-proxies.ts";
import type { ApiOptions } from "./options.ts";
import { sendProblem } from "./problem.ts";
import { lazySerializers } from "./serializers.ts";
import { validatorCompiler } from "./validation.ts";

export interface NewServer {
  readonly options: ApiOptions;
  readonly connections: Connections;
  readonly logger?: FastifyBaseLogger;
  readonly tls?: ServerTls;
  readonly trustedProxies?: TrustedProxies;
}

/** A server without routes, with the bounds of sockets and requests. */
export function newServer(given: NewServer): ApiServer {
  const { options, connections, logger, tls, trustedProxies } = given;
  const app = fastify({
    // Standard output belongs to whoever started the process; failures must be seen somewhere.
    loggerInstance: logger ?? pino({ level: "warn" }, pino.destination(2)),
    logController: new LogController({ disableRequestLogging: true }),
    serverFactory: (handler) => {
      const server = httpServer(handler, { bounds: options, tls });
      connections.watch(server);
      return server;
    },
    clientErrorHandler: answerProtocolError,
    trustProxy: trustOf(trustedProxies),
    schemaController: { compilersFactory: { buildSerializer: lazySerializers() } },
    bodyLimit: options.bodyBytesMax,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    // Percent-encoded ids of 200 characters of up to four bytes.
    routerOptions: { maxParamLength: 2_400 },
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply, problemOf(error));
    },
  });
  return app.setValidatorCompiler(validatorCompiler);
}
