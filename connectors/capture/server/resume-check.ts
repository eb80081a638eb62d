import type { ClientBase } from "pg";

import { FatalError, TransientError } from "../../../engine/errors.ts";
import { formatLsn, parseLsn } from "../lsn.ts";
import { readSlot } from "./slot.ts";

/** A database server, and where its write-ahead log ends. */
export interface Server {
  /** System identifier and timeline: another one has a history of its own. */
  readonly identity: string;
  readonly endLsn: number;
}

export async function readServer(client: ClientBase): Promise<Server> {
  const { rows } = await client.query<{ identity: string; wal_end: string }>(
    `select concat_ws('/', system_identifier, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))
       as identity, pg_current_wal_flush_lsn()::text as wal_end
     from pg_control_system()`,
  );
  const [row] = rows;
  if (!row) throw new TransientError("server-unread", "The server didn't tell its identity.");
  return { identity: row.identity, endLsn: parseLsn(row.wal_end) };
}

/** What a capture that goes on has published already. */
export interface Published {
  readonly slot: string;
  /** Everything that committed before it. */
  readonly completeLsn: number;
  /** `Server.identity` as it was then; undefined where it was never told. */
  readonly source: string | undefined;
}

/**
 * Why a capture can't go on where it stands; undefined when it can. Starting all the same would
 * begin somewhere else without a word: Postgres streams from the slot's own position when asked for
 * an older one.
 *
 * A slot that was dropped and made anew stands at the end of the WAL of that moment, beyond what was
 * published before: it looks like one that was advanced, and means the same.
 */
export async function resumeFault(
  client: ClientBase,
  published: Published,
): Promise<FatalError | undefined> {
  const server = await readServer(client);
  if (published.source !== undefined && published.source !== server.identity) {
    return serverDiffers(published.source, server.identity);
  }
  if (published.completeLsn > server.endLsn) return positionAhead(published, server);
  const slot = await readSlot(client, published.slot);
  if (!slot) return slotLost(published.slot, "does not exist");
  if (slot.confirmedLsn === undefined) return slotLost(published.slot, "is invalidated");
  if (slot.confirmedLsn <= published.completeLsn) return undefined;
  return slotAdvanced(published, slot.confirmedLsn);
}

const repair =
  "Run refold capture repair: it makes a new slot, publishes what the log lacks of the events, and " +
  "brings the captured tables' topics to the rows as they are now.";

function slotLost(slot: string, how: string): FatalError {
  return new FatalError(
    "slot-lost",
    `Replication slot ${slot} ${how}: changes after the last published one may be gone from the WAL.`,
    repair,
  );
}

function slotAdvanced({ slot, completeLsn }: Published, confirmedLsn: number): FatalError {
  return new FatalError(
    "slot-advanced",
    `Replication slot ${slot} stands at ${formatLsn(confirmedLsn)}, but only what committed before ` +
      `${formatLsn(completeLsn)} is published: something else has advanced it, or dropped it and ` +
      "made it anew, and changes between the two are lost to it.",
    `Find what reads, advances or makes the slot. ${repair}`,
  );
}

function positionAhead({ completeLsn }: Published, { endLsn }: Server): FatalError {
  return new FatalError(
    "position-ahead",
    `The log has what committed before ${formatLsn(completeLsn)}, but the server's WAL ends at ` +
      `${formatLsn(endLsn)}: the database is older than the log (a restored backup?).`,
    "Restore both to the same moment, or begin a new log.",
  );
}

function serverDiffers(before: string, now: string): FatalError {
  return new FatalError(
    "server-differs",
    `The log was captured from server ${before} (system identifier and timeline), and this is ` +
      `${now}: a restored backup, a promoted standby or a copy, whose WAL has a history of its own.`,
    `Check that it is the server that is meant. ${repair}`,
  );
}
