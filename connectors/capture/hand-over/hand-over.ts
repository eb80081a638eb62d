import type { Client, ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import { lsn, type Lsn } from "../../../engine/position.ts";
import { captureSettings, type CaptureOptions, type CaptureSettings } from "../options.ts";
import { controlClient } from "../server/connections.ts";
import { captureError } from "../server/failures.ts";
import { ensurePublication, publicationPlan } from "../server/publication.ts";
import { readServer, resumeFault } from "../server/resume-check.ts";
import { readSlot, untilSlotFree } from "../server/slot.ts";

export interface HandOverOptions {
  /** The embedded capture, which doesn't run here meanwhile. */
  readonly capture: CaptureOptions;
  readonly signal: AbortSignal;
}

/**
 * Makes the publication that the embedded capture reads, where there is none. It has to be there
 * before the place where the capture takes over: the server looks publications up as they were when
 * a change was written.
 */
export function preparePublication({ capture }: HandOverOptions): Promise<void> {
  return onServer(capture, (control, settings) =>
    ensurePublication(control, publicationPlan(settings)),
  );
}

/**
 * Ends the embedded capture, also one that runs elsewhere, and copies its slot for those that go on
 * in its place. Its own slot stays until `dropCapture`, so that this may be done again.
 *
 * @returns What committed before it is published.
 * @throws FatalError `nothing-captured`, `slot-in-use`, and why the capture couldn't go on itself:
 * `slot-lost`, `slot-advanced`, `server-differs`, `position-ahead`; TransientError.
 */
export function yieldCapture(options: HandOverOptions, slots: readonly string[]): Promise<Lsn> {
  const { capture, signal } = options;
  return onServer(capture, async (control, settings) => {
    const { sink, slot, clock, limits } = settings;
    if ((await sink.position())?.completeLsn === undefined) throw nothingCaptured(slot);
    // From here on whoever captures publishes no more, and so this position is its last.
    const position = await sink.open();
    const at = position?.completeLsn ?? lsn(0);
    const source = await sink.source();
    const fault = await resumeFault(control, { slot, completeLsn: Number(at), source });
    if (fault) throw fault;
    const wait = { clock, timeoutMs: limits.slotWaitMs, signal };
    for (const one of [slot, ...slots]) await untilSlotFree(control, one, wait);
    for (const copy of slots) await copySlot(control, slot, copy);
    return at;
  });
}

/**
 * Lets the embedded capture go on in the place of another one, which is stopped: from a copy of its
 * slot, at an LSN before which all is published. May be done again until the capture has run.
 *
 * @throws FatalError `slot-foreign`, `slot-in-use`; TransientError.
 */
export function takeCapture(
  options: HandOverOptions,
  from: { readonly slot: string; readonly lsn: Lsn },
): Promise<void> {
  const { capture, signal } = options;
  return onServer(capture, async (control, settings) => {
    const { sink, slot, clock, limits, outboxTables, tables } = settings;
    const wait = { clock, timeoutMs: limits.slotWaitMs, signal };
    await untilSlotFree(control, from.slot, wait);
    await untilSlotFree(control, slot, wait);
    await sink.open();
    await copySlot(control, from.slot, slot);
    await sink.setTables([...outboxTables, ...tables.map(({ name }) => name)]);
    await sink.setSource((await readServer(control)).identity);
    await sink.publish([], { commitLsn: from.lsn, changesAfter: 0, completeLsn: from.lsn });
  });
}

/** Drops the slot of an embedded capture that has yielded: nothing keeps write-ahead log for it. */
export function dropCapture({ capture, signal }: HandOverOptions): Promise<void> {
  return onServer(capture, async (control, { slot, clock, limits }) => {
    await untilSlotFree(control, slot, { clock, timeoutMs: limits.slotWaitMs, signal });
    await dropSlot(control, slot);
  });
}

/** The copy stands where the original does, in place of one that is there already. */
async function copySlot(control: ClientBase, from: string, to: string): Promise<void> {
  await dropSlot(control, to);
  await control.query("select pg_copy_logical_replication_slot($1, $2)", [from, to]);
}

async function dropSlot(control: ClientBase, slot: string): Promise<void> {
  if (await readSlot(control, slot)) {
    await control.query("select pg_drop_replication_slot($1)", [slot]);
  }
}

async function onServer<Done>(
  capture: CaptureOptions,
  work: (control: Client, settings: CaptureSettings) => Promise<Done>,
): Promise<Done> {
  const settings = captureSettings(capture);
  const control = controlClient(settings);
  try {
    await control.connect();
    return await work(control, settings);
  } catch (error) {
    throw captureError(error, "Handing the capture over");
  } finally {
    await control.end().catch(() => undefined);
  }
}

function nothingCaptured(slot: string): FatalError {
  return new FatalError(
    "nothing-captured",
    `Nothing was ever published from slot ${slot}, so there is no place to go on from.`,
    "Run refold connectors apply: the connectors begin with what the tables hold.",
  );
}
