import { Client, type ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import { pinnedSettings } from "../replication-connection.ts";
import { captureError } from "../server/failures.ts";

export interface MendingOptions {
  readonly url: string;
  /** How long a publish in flight is waited for (default 30,000). */
  readonly lockTimeoutMs?: number;
}

/** Mends a lane within one transaction on a connection of its own. */
export async function mendWithin<Done>(
  { url, lockTimeoutMs = 30_000 }: MendingOptions,
  mend: (client: Client) => Promise<Done>,
): Promise<Done> {
  const client = new Client({
    connectionString: url,
    application_name: "refold republish",
    options: pinnedSettings,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(
      `begin; set local lock_timeout = ${lockTimeoutMs};
       set local idle_in_transaction_session_timeout = 0`,
    );
    const done = await mend(client);
    await client.query("commit");
    return done;
  } catch (error) {
    throw captureError(error, "Appending the lane again");
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The order of locks is a publish's own: the position first, then the log's partitions. */
export async function pauseCapture(client: ClientBase, slot: string): Promise<void> {
  const { rows } = await client.query(
    "select 1 from refold.capture_position where slot = $1 for update",
    [slot],
  );
  if (rows.length > 0) return;
  throw new FatalError(
    "capture-unknown",
    `No capture has ever published from slot ${slot}, so that its lanes hold nothing to mend.`,
    "Start the capture: it publishes all events from the first on.",
  );
}
