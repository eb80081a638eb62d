import { lsn, type Lsn } from "../../../engine/position.ts";
import type { RecordLog } from "../../../engine/ports/record-log.ts";
import { captureSettings, type CaptureOptions } from "../options.ts";
import { controlClient, replicationConnection } from "../server/connections.ts";
import { captureError } from "../server/failures.ts";
import { checkWalLevel } from "../server/publication.ts";
import { untilSlotFree } from "../server/slot.ts";
import { checkedTables, makeNewSlot } from "./new-slot.ts";
import type { RepairCounts } from "./repair-parts.ts";

export interface RecaptureOptions {
  /** What is captured through the slot; the sink is only asked, its position isn't moved. */
  readonly capture: CaptureOptions;
  /** Where the other capture publishes. */
  readonly log: RecordLog;
  readonly signal: AbortSignal;
}

/** Where another capture goes on, and what was published until there. */
export interface Recaptured extends RepairCounts {
  /** All that committed before it is in the log; the slot's stream has the rest. */
  readonly lsn: Lsn;
}

/**
 * Makes the slot of a capture that somebody else runs, and publishes what the log lacks, as
 * `repairCapture` does for the embedded one: lanes to their ends out of the store, removals of rows
 * that are gone, and all rows as they are. The other capture has to be stopped, and goes on from the
 * LSN that is given.
 *
 * Done again after a crash it begins anew: events that are there aren't published twice, rows are.
 *
 * @throws FatalError `wal-level`, `slot-foreign`, `slot-in-use`, `log-ahead`, `log-differs`,
 * `table-keyless`, `table-unsupported`; TransientError.
 */
export async function recapture({ capture, log, signal }: RecaptureOptions): Promise<Recaptured> {
  const settings = captureSettings(capture);
  const { slot, clock, limits } = settings;
  const control = controlClient(settings);
  await using replication = replicationConnection(settings);
  try {
    await control.connect();
    await checkWalLevel(control);
    const tables = await checkedTables({ settings, control });
    await untilSlotFree(control, slot, { clock, timeoutMs: limits.slotWaitMs, signal });
    const made = await makeNewSlot({ settings, control, replication, log, tables });
    for await (const part of made.parts) await log.append(part);
    return { lsn: lsn(made.consistentLsn), ...made.counts };
  } catch (error) {
    throw captureError(error, `Capturing through slot ${slot} anew`);
  } finally {
    await control.end().catch(() => undefined);
  }
}
