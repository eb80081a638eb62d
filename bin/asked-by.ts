import { userInfo } from "node:os";

/** Whose name is recorded for what somebody does at a terminal: the system's user, and the command. */
export function askedBy(command: string): string {
  try {
    return `${userInfo().username} (${command})`;
  } catch {
    // A container's user needn't have a name.
    return command;
  }
}
