import { FatalError } from "../../../engine/errors.ts";
import { lsn } from "../../../engine/position.ts";
import type { CapturePosition } from "../../../engine/ports/capture-sink.ts";
import type { RecordLog } from "../../../engine/ports/record-log.ts";
import { formatLsn } from "../lsn.ts";
import { captureSettings, type CaptureOptions, type CaptureSettings } from "../options.ts";
import type { ReplicationConnection } from "../replication-connection.ts";
import { controlClient, replicationConnection } from "../server/connections.ts";
import { captureError } from "../server/failures.ts";
import { checkWalLevel, ensurePublication, publicationPlan } from "../server/publication.ts";
import { readServer, resumeFault, type Server } from "../server/resume-check.ts";
import { untilSlotFree } from "../server/slot.ts";
import { checkedTables, makeNewSlot, type NewSlot } from "./new-slot.ts";
import type { RepairCounts } from "./repair-parts.ts";
import type { Client } from "pg";

export interface RepairOptions {
  readonly capture: CaptureOptions;
  /** Where the capture's sink publishes. */
  readonly log: RecordLog;
  /** `needed`: only a capture that can't go on is repaired; `always`: one that could, too. */
  readonly when: "needed" | "always";
  readonly signal: AbortSignal;
}

/** What a repair published. */
export interface Repaired extends RepairCounts {
  /** Why the capture couldn't go on. */
  readonly fault: FatalError | undefined;
}

/**
 * Makes a capture whole again whose slot no longer has what follows its position: a new slot, and
 * before its position (in one transaction with it where the sink can) all that the log lacks. Events
 * and notices behind the end of each lane are published out of their store, in order and without a
 * gap; each row of the captured tables is told as it is now, after the removal of those that are
 * gone, so that every reader comes to the same rows. What changed and changed back meanwhile is
 * never told.
 *
 * It may be begun again after a crash at any point: until its end the old position stands. Events
 * that a log outside of the database has by then are not published again, rows are.
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
  const { settings, control, signal } = repair;
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
  const tables = await checkedTables(repair);
  await untilSlotFree(control, slot, { clock, timeoutMs: limits.slotWaitMs, signal });
  // From here on whoever captured before publishes no more.
  await sink.open();
  await publishTables(repair);
  const made = await makeNewSlot({ ...repair, tables });
  await sink.setSource(server.identity);
  await publishParts(repair, made);
  return { fault, ...made.counts };
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
  { settings: { sink }, log }: Repair,
  { consistentLsn, parts }: NewSlot,
): Promise<void> {
  const start = lsn(consistentLsn);
  const position: CapturePosition = { commitLsn: start, changesAfter: 0, completeLsn: start };
  if (sink.publishSnapshot) return sink.publishSnapshot(parts, position);
  // The old position has to stand until all is there: the sink's own publish would move it.
  for await (const part of parts) await log.append(part);
  await sink.publish([], position);
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
