import { constants, setPriority } from "node:os";

/**
 * Lets live work go first on the processors; this process takes what it leaves. The lag budget alone
 * wouldn't do: where processors are short, queries and commands wait for one long before a read
 * model falls behind. On Linux this is the main thread, which folds, and there is no way back.
 */
export function giveWay(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Some sandboxes forbid it: then there is the lag budget.
  }
}
