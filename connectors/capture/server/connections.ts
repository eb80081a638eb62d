import { Client } from "pg";

import type { CaptureSettings } from "../options.ts";
import { pinnedSettings, ReplicationConnection } from "../replication-connection.ts";

/** An ordinary connection, not yet open, whose values look as the stream's do. */
export function controlClient({ url, limits }: CaptureSettings): Client {
  const client = new Client({
    connectionString: url,
    application_name: "refold capture",
    connectionTimeoutMillis: limits.connectTimeoutMs,
    keepAlive: true,
    options: pinnedSettings,
  });
  // The next query tells.
  client.on("error", () => undefined);
  return client;
}

/** A connection in replication mode, not yet open. */
export function replicationConnection({ url, limits }: CaptureSettings): ReplicationConnection {
  return new ReplicationConnection({
    url,
    applicationName: "refold capture stream",
    receivedBytesMax: limits.receivedBytesMax,
    connectTimeoutMs: limits.connectTimeoutMs,
  });
}
