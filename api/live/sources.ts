import type { CommandRates, LiveFrame } from "./frame.ts";

/** What the live view is told from. */
export interface LiveSources {
  /** What `refold status --json` prints. */
  readonly status: () => Promise<object>;
  /** Everything but the commands of this process. Called once at a time, while somebody watches. */
  readonly gather: () => Promise<Gathered>;
  readonly commands: WatchedCommands;
}

/** Counts of this process' commands; see `CommandCounts`. */
export interface WatchedCommands {
  turnedAway(): void;
  rates(nowMs: number): CommandRates;
  forget(): void;
}

export type Gathered = Omit<LiveFrame, "atMs" | "gatheredInMs" | "commands">;
