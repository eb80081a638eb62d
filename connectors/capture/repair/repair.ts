import { FatalError, FencedError } from "../../../engine/errors.ts";
import { lsn } from "../../../engine/position.ts";
import type { CapturePosition } from "../../../engine/ports/capture-sink.ts";
import type { PartitionAppend, RecordLog } from "../../../engine/ports/record-log.ts";
import { formatLsn } from "../lsn.ts";
import { captureSettings, type CaptureOptions, type CaptureSettings } from "../options.ts";
import type { CreatedSlot, ReplicationConnection } from "../replication-connection.ts";
import { controlClient, replicationConnection } from "../server/connections.ts";
import { captureError } from "../server/failures.ts";
import { checkWalLevel, ensurePublication, publicationPlan } from "../server/publication.ts";
import { readServer, resumeFault, type Server } from "../server/resume-check.ts";
import { readSlot, untilSlotFree } from "../server/slot.ts";
import { CapturedTables } from "../tables/captured-tables.ts";
import { repairParts } from "./repair-parts.ts";
import { ToldRows } from "./told-rows.ts";
import type { Client } from "pg";

export interface RepairOptions {
  readonly capture: CaptureOptions;
  /** The embedded log, in the captured database. */
  readonly log: RecordLog;
  /** `needed`: only a capture that can't go on is repaired; `always`: one that could, too. */
  readonly when: "needed" | "always";
  readonly signal: AbortSignal;
}

/** What a repair published. */
export interface Repaired {
  /** Why the capture couldn't go on. */
  readonly fault: FatalError | undefined;
  /** Events and notices that the log lacked. */
  readonly events: number;
  /** Rows of captured tables as they are. */
  readonly rows: number;
  /** Rows that the log told of, and that are gone. */
  readonly removed: number;
}

/**
 * Makes a capture whole again whose slot no longer has what follows its position: a new slot, and in
 * one transaction with its position all that the log lacks. Events and notices behind the end of
 * each lane are published out of their store, in order and without a gap; each row of the captured
 * tables is told as it is now, after the removal of those that are gone, so that every reader comes
 * to the same rows. What changed and changed back meanwhile is never told.
 *
 * It may be begun again after a crash at any point: until its end the old position stands.
 *
 * @returns undefined where nothing is wrong and `when` is `needed`.
 * @throws FatalError `nothing-captured`, `slot-in-use`, `position-ahead`, `log-ahead`,
 * `log-differs`, `table-keyless`, `table-unsupported`; TransientError; FencedError.
 */
export async function repairCapture(options: RepairOptions): Promise<Repaired | undefined> {
  const settings = captureSettings(options.capture);
  const control = controlClient(settings);
  await using replication = replicationConnection(settings);
  try {
    await control.connect();
    return await repairOn({ ...options, settings, control, replication });
  } catch (error) {
    throw captureError(error, "Repairing the capture");
  } finally {
    await control.end().catch(() => undefined);
  }
}

interface Repair extends RepairOptions {
  readonly settings: CaptureSettings;
  readonly control: Client;
  readonly replication: ReplicationConnection;
}

async function repairOn(repair: Repair): Promise<Repaired | undefined> {
  const { settings, control, replication, signal } = repair;
  const { sink, slot, clock, limits } = settings;
  await checkWalLevel(control);
  const position = await sink.position();
  if (position?.completeLsn === undefined) throw nothingCaptured(slot);
  const completeLsn = Number(position.completeLsn);
  const source = await sink.source();
  const fault = await resumeFault(control, { slot, completeLsn, source });
  if (!fault && repair.when === "needed") return undefined;
  const server = await readServer(control);
  if (completeLsn > server.endLsn) throw behind(completeLsn, server);
  const tables = new CapturedTables(settings, control, await databaseName(control));
  await tables.check();
  await untilSlotFree(control, slot, { clock, timeoutMs: limits.slotWaitMs, signal });
  // From here on whoever captured before publishes no more.
  await sink.open();
  await publishTables(repair);
  await replication.open();
  if (await readSlot(control, slot)) await replication.dropSlot(slot);
  const told = await ToldRows.prepare(control);
  const made = await replication.createSlot(slot);
  await sink.setSource(server.identity);
  const counts = { events: 0, rows: 0, removed: 0 };
  await publishParts(repair, made, repairParts({ ...repair, tables, told, slot: made, counts }));
  return { fault, ...counts };
}

async function publishTables({ settings, control }: Repair): Promise<void> {
  const { tables, outboxTables, sink } = settings;
  const names = [...outboxTables, ...tables.map((table) => table.name)];
  await ensurePublication(control, publicationPlan(settings));
  await sink.setTables(names);
}

/**
 * The commits of the stream to come are numbered from the slot on, above all that were published:
 * readers take a change with a lower number for one that they have seen.
 */
async function publishParts(
  { settings: { sink } }: Repair,
  slot: CreatedSlot,
  parts: AsyncIterable<readonly PartitionAppend[]>,
): Promise<void> {
  const start = lsn(slot.consistentLsn);
  const position: CapturePosition = { commitLsn: start, changesAfter: 0, completeLsn: start };
  if (!sink.publishSnapshot) {
    throw new FencedError([], "The capture's sink can't publish a repair as one step.");
  }
  await sink.publishSnapshot(parts, position);
}

async function databaseName(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>("select current_database()::text as name");
  return rows[0]?.name ?? "";
}

function nothingCaptured(slot: string): FatalError {
  return new FatalError(
    "nothing-captured",
    `Nothing was ever published from slot ${slot}, so there is nothing to repair.`,
    "Start the capture: it begins with a snapshot.",
  );
}

function behind(completeLsn: number, { endLsn }: Server): FatalError {
  return new FatalError(
    "position-ahead",
    `The log has what committed before ${formatLsn(completeLsn)}, but the server's WAL ends at ` +
      `${formatLsn(endLsn)}: readers would take its next changes for ones that they have seen.`,
    "Move the server's WAL past that with pg_resetwal -l, or begin a new log.",
  );
}
