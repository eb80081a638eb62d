import type { Pool } from "pg";

import type { ConnectClient } from "./connect-client.ts";
import type { DebeziumConnector } from "./connectors.ts";
import { readSlots } from "./source-database.ts";
import { stopConnector, type ConnectorWait } from "./stopping.ts";

export interface RemovingOptions extends ConnectorWait {
  readonly connect: ConnectClient;
  readonly pool: Pick<Pool, "query">;
}

/**
 * Takes a connector away: what Connect remembers of it, itself, and its slot. Its publication and
 * its topics stay. One that is gone already is no fault.
 */
export async function removeConnector(
  options: RemovingOptions,
  { name, slot }: DebeziumConnector,
): Promise<void> {
  const { connect, pool } = options;
  if ((await connect.config(name)) !== undefined) {
    await stopConnector(options, name);
    // Offsets outlive a connector that is deleted, and another one of its name would go on from them.
    await connect.forgetOffsets(name);
    await connect.delete(name);
  }
  if (!(await readSlots(pool, [slot])).has(slot)) return;
  await pool.query("select pg_drop_replication_slot($1)", [slot]);
}
