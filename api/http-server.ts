import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";

import type { ConnectionBounds, RequestBounds } from "./options.ts";

/** What a server proves its name with. */
export interface ServerTls {
  /** Its certificate, and those between it and its root, in PEM. */
  readonly cert: string;
  /** The certificate's private key, in PEM, without a passphrase. */
  readonly key: string;
}

type Bounds = ConnectionBounds & Pick<RequestBounds, "headerBytesMax">;

export interface HttpServerOptions {
  readonly bounds: Bounds;
  /** Left out: without TLS. */
  readonly tls?: ServerTls | undefined;
}

/** Node's HTTP server with the bounds that only it can hold. HTTP/1.1, with TLS too. */
export function httpServer(handler: RequestListener, { bounds, tls }: HttpServerOptions): Server {
  const settings = {
    maxHeaderSize: bounds.headerBytesMax,
    headersTimeout: bounds.headersWithinMs,
    requestTimeout: bounds.requestWithinMs,
    keepAliveTimeout: bounds.keepAliveMs,
    connectionsCheckingInterval: bounds.arrivalCheckMs,
    // A second Host or Content-Length is how requests are smuggled past a proxy.
    requireHostHeader: true,
    insecureHTTPParser: false,
  };
  const server = tls
    ? createTlsServer({ ...settings, ...tls, ...handshake(bounds) }, handler)
    : createServer(settings, handler);
  server.timeout = bounds.silentMs;
  return server;
}

const handshake = ({ headersWithinMs }: Bounds) => ({
  minVersion: "TLSv1.2" as const,
  ALPNProtocols: ["http/1.1"],
  handshakeTimeout: headersWithinMs,
});
