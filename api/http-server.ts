import { createServer, type RequestListener, type Server } from "node:http";

import type { ConnectionBounds, RequestBounds } from "./options.ts";

type Bounds = ConnectionBounds & Pick<RequestBounds, "headerBytesMax">;

/** Node's HTTP server with the bounds that only it can hold. */
export function httpServer(handler: RequestListener, bounds: Bounds): Server {
  const server = createServer(
    {
      maxHeaderSize: bounds.headerBytesMax,
      headersTimeout: bounds.headersWithinMs,
      requestTimeout: bounds.requestWithinMs,
      keepAliveTimeout: bounds.keepAliveMs,
      connectionsCheckingInterval: bounds.arrivalCheckMs,
      // A second Host or Content-Length is how requests are smuggled past a proxy.
      requireHostHeader: true,
      insecureHTTPParser: false,
    },
    handler,
  );
  server.timeout = bounds.silentMs;
  return server;
}
