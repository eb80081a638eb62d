import type { CommandCounts } from "./command-counts.ts";
import type { LiveFrame } from "./frame.ts";

/** What the live view is told from. */
export interface LiveSources {
  /** What `refold status --json` prints. */
  readonly status: () => Promise<object>;
  /** Everything but the commands of this process. Called once at a time, while somebody watches. */
  readonly gather: () => Promise<Gathered>;
  readonly commands: CommandCounts;
}

export type Gathered = Omit<LiveFrame, "atMs" | "gatheredInMs" | "commands">;
