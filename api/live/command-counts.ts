import type { CommandExecutor } from "../dependencies.ts";
import type { CommandRates } from "./frame.ts";
import type { WatchedCommands } from "./sources.ts";

/** What became of the commands of a process, counted as they are decided. */
export class CommandCounts implements WatchedCommands {
  #accepted = 0;
  #turnedAway = 0;
  /** Codes come from the closed list of refusals. */
  readonly #refused = new Map<string, number>();
  #before: Counted | undefined;

  /** The same decisions, counted. */
  counting(decider: CommandExecutor): CommandExecutor {
    return {
      execute: async (call, origin, more) => {
        const result = await decider.execute(call, origin, more);
        if (result.outcome === "accepted") this.#accepted += 1;
        else if (result.outcome === "refused") this.#refuse(result.refusal.code);
        return result;
      },
    };
  }

  /** A request that never came to a decision. */
  turnedAway(): void {
    this.#turnedAway += 1;
  }

  /** Of the time since the last call; what was counted while nobody looked is left out. */
  rates(nowMs: number): CommandRates {
    const before = this.#before;
    const now = this.#now(nowMs);
    this.#before = now;
    if (before === undefined || now.atMs <= before.atMs) return unknownRates;
    const seconds = (now.atMs - before.atMs) / 1_000;
    const refusals = Object.fromEntries(
      [...now.refused]
        .map(
          ([code, times]) => [code, (times - (before.refused.get(code) ?? 0)) / seconds] as const,
        )
        .filter(([, perSecond]) => perSecond > 0),
    );
    return {
      acceptedPerSecond: (now.accepted - before.accepted) / seconds,
      refusedPerSecond: Object.values(refusals).reduce((sum, one) => sum + one, 0),
      refusals,
      turnedAwayPerSecond: (now.turnedAway - before.turnedAway) / seconds,
    };
  }

  /** The next rates have nothing to be measured from. */
  forget(): void {
    this.#before = undefined;
  }

  #refuse(code: string): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }

  #now(atMs: number): Counted {
    const refused = new Map(this.#refused);
    return { atMs, accepted: this.#accepted, turnedAway: this.#turnedAway, refused };
  }
}

interface Counted {
  readonly atMs: number;
  readonly accepted: number;
  readonly turnedAway: number;
  readonly refused: ReadonlyMap<string, number>;
}

const unknownRates: CommandRates = {
  acceptedPerSecond: null,
  refusedPerSecond: null,
  refusals: {},
  turnedAwayPerSecond: null,
};
