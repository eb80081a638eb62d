import type { RebuildRecord } from "../ports/rebuilds.ts";

/** It was swapped in, should be undone, and that wasn't found to be impossible. */
export const wantsUndo = ({
  state,
  wish,
  failure,
}: Pick<RebuildRecord, "state" | "wish" | "failure">): boolean =>
  state === "swapped" && wish === "undo" && failure === undefined;
