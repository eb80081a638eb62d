import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { exitCodes } from "../exit-codes.ts";
import { waitsForAcceptance } from "./conducted.ts";

export interface RebuildOutcome {
  readonly exitCode: number;
  /** What is to be done next; undefined: nothing. */
  readonly text: string | undefined;
}

/**
 * What a command that has followed a rebuild says at its end.
 *
 * @param wanted The states that were wanted.
 * @param running Does any worker run that goes on with what is left?
 */
export function outcomeOf(
  record: RebuildRecord,
  wanted: readonly RebuildRecord["state"][],
  running: boolean,
): RebuildOutcome {
  const { id, state, failure, wish } = record;
  if (wanted.includes(state)) return { exitCode: exitCodes.ok, text: doneText(record) };
  if (waitsForAcceptance(record)) {
    const text =
      `Not swapped in, because rows differ. refold rebuild resume ${id} --accept swaps it in all ` +
      `the same; refold rebuild abandon ${id} gives it up.`;
    return { exitCode: exitCodes.failed, text };
  }
  if (failure !== undefined) {
    return { exitCode: exitCodes.failed, text: `Rebuild ${id}: ${failure.message}` };
  }
  if (state === "abandoned" || state === "undone" || state === "swapped") {
    return { exitCode: exitCodes.failed, text: `Rebuild ${id} is ${state}.` };
  }
  const paused = wish === "pause" ? " It is paused." : "";
  return { exitCode: exitCodes.interrupted, text: `${leftText(record, running)}${paused}` };
}

function doneText({ id, state, undoUntilMs }: RebuildRecord): string | undefined {
  if (state !== "swapped" || undoUntilMs === undefined) return undefined;
  return `refold rebuild undo ${id} goes back, until ${new Date(undoUntilMs).toISOString()}.`;
}

const leftText = ({ id, state }: RebuildRecord, running: boolean): string =>
  running
    ? `Rebuild ${id} is ${state}, and a running worker goes on with it: refold rebuild show ${id}.`
    : `Rebuild ${id} is ${state}, and nothing runs that goes on with it: ` +
      `refold rebuild resume ${id} does, from where it is.`;
