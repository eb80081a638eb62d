import { FatalError, FencedError } from "./errors.ts";
import type { RebuildRecord, RebuildState, RebuildWish } from "./ports/rebuilds.ts";

/** A projection has at most one rebuild in one of these. */
export const openRebuildStates: readonly RebuildState[] = [
  "planned",
  "filling",
  "proving",
  "proved",
];

export const isOpenRebuild = ({ state }: Pick<RebuildRecord, "state">): boolean =>
  openRebuildStates.includes(state);

/** May it be asked for this now? What was given up or is undone stays so. */
export function takesWish(
  record: Pick<RebuildRecord, "state" | "wish" | "undoUntilMs">,
  wish: RebuildWish,
  nowMs: number,
): boolean {
  if (wish === "undo") {
    const { undoUntilMs = Number.POSITIVE_INFINITY } = record;
    return record.state === "swapped" && nowMs < undoUntilMs;
  }
  return isOpenRebuild(record) && (record.wish !== "abandon" || wish === "abandon");
}

/** @throws FatalError `rebuild-over` when a rebuild that has ended is to go on. */
export function assertTransition(
  { id, state }: Pick<RebuildRecord, "id" | "state">,
  to: RebuildState,
): void {
  const ends = state === to || isOpenRebuild({ state }) || (state === "swapped" && to === "undone");
  if (ends) return;
  throw new FatalError(
    "rebuild-over",
    `Rebuild ${id} is ${state}, and was told to become ${to}.`,
    "Start another rebuild of the projection.",
  );
}

export const rebuildUnknown = (id: bigint) =>
  new FatalError("rebuild-unknown", `There is no rebuild ${id}.`, "List the rebuilds there are.");

export const rebuildLost = (id: bigint, conductor: string) =>
  new FencedError([], `${conductor} no longer conducts rebuild ${id}: nothing was written.`);
