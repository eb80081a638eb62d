import { userInfo } from "node:os";

/** Who orders and edits at a terminal. */
export function askedBy(): string {
  try {
    return `${userInfo().username} (refold dlq)`;
  } catch {
    // A container's user needn't have a name.
    return "refold dlq";
  }
}
