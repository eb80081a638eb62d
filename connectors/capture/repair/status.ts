import { Client } from "pg";

import type { FatalError } from "../../../engine/errors.ts";
import { formatLsn, parseLsn } from "../lsn.ts";
import { pinnedSettings } from "../replication-connection.ts";
import { captureError } from "../server/failures.ts";
import { readServer, resumeFault } from "../server/resume-check.ts";
import { readSlot } from "../server/slot.ts";

/** How a capture stands, as its database tells; nothing is changed by asking. */
export interface CaptureStatus {
  readonly slot: string;
  /**
   * never: nothing was published yet. snapshot: its first snapshot isn't whole. running: a process
   * reads the slot. stopped: it would go on. broken: it can't (see `fault`).
   */
  readonly state: "never" | "snapshot" | "running" | "stopped" | "broken";
  readonly fault: FatalError | undefined;
  /** Everything that committed before is published. */
  readonly publishedLsn: string | undefined;
  readonly publishedAt: string | undefined;
  /** Write-ahead log beyond what is published, in bytes. */
  readonly lagBytes: number | undefined;
  /** System identifier and timeline of the server. */
  readonly server: string;
  readonly tables: readonly string[];
}

interface Row {
  readonly complete: string | null;
  readonly published_at: string;
  readonly source: string | null;
  readonly tables: string[] | null;
}

/** @throws FatalError `slot-foreign`; TransientError. */
export async function captureStatus(url: string, slot: string): Promise<CaptureStatus> {
  const client = new Client({
    connectionString: url,
    application_name: "refold capture status",
    options: pinnedSettings,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await statusOn(client, slot);
  } catch (error) {
    throw captureError(error, "Asking how the capture stands");
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function statusOn(client: Client, slot: string): Promise<CaptureStatus> {
  const { rows } = await client.query<Row>(
    `select complete_lsn::text as complete, source, tables,
       to_char(published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as published_at
     from refold.capture_position where slot = $1`,
    [slot],
  );
  const [row] = rows;
  const server = await readServer(client);
  const about = { slot, server: server.identity, tables: row?.tables ?? [] };
  const nothing = { fault: undefined, publishedLsn: undefined, lagBytes: undefined };
  if (!row) return { ...about, ...nothing, state: "never", publishedAt: undefined };
  const publishedAt = row.published_at;
  if (row.complete === null) return { ...about, ...nothing, state: "snapshot", publishedAt };
  const completeLsn = parseLsn(row.complete);
  const source = row.source ?? undefined;
  const fault = await resumeFault(client, { slot, completeLsn, source });
  const found = await readSlot(client, slot);
  const healthy = found?.activePid === undefined ? "stopped" : "running";
  return {
    ...about,
    state: fault ? "broken" : healthy,
    fault,
    publishedLsn: formatLsn(completeLsn),
    publishedAt,
    lagBytes: Math.max(0, server.endLsn - completeLsn),
  };
}
