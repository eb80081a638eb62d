import type { BoardEntry, StatusBoard } from "../../engine/ports/status-board.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { ConsumerHealth } from "../../api/index.ts";
import { keepHouse } from "./housekeeping.ts";

export interface BoardViewOptions {
  readonly board: Pick<StatusBoard, "read">;
  readonly clock: Clock;
  readonly report: (message: string) => void;
  /** An instance whose own reports aren't looked at: this process, which knows better. */
  readonly except?: string;
}

/** How often the board is read, and how old a report may be to count. */
const readEveryMs = 1_000;
const reportAgeMaxMs = 15_000;

/** What other processes say of the projections and processors that they run. */
export class BoardView implements AsyncDisposable {
  readonly #options: BoardViewOptions;
  readonly #reading: AsyncDisposable;
  #entries: readonly BoardEntry[] = [];

  constructor(options: BoardViewOptions) {
    this.#options = options;
    const chores = [{ name: "Reading the status board", run: () => this.#read() }];
    this.#reading = keepHouse({ ...options, everyMs: readEveryMs, chores });
  }

  /** Milliseconds since every partition had applied everything; undefined: nobody says so. */
  ageMs(consumer: string): number | undefined {
    const times = this.#fresh(consumer).map(({ currentAsOfMs }) => currentAsOfMs);
    if (times.length === 0) return undefined;
    const known = times.filter((time) => time !== undefined);
    if (known.length < times.length) return undefined;
    return Math.max(0, this.#options.clock.nowMs() - Math.min(...known));
  }

  health(consumers: readonly string[]): readonly ConsumerHealth[] {
    return consumers.map((consumer) => {
      const entries = this.#fresh(consumer);
      const halted = entries.filter(({ state }) => state === "halted");
      const state = entries.length === 0 ? "absent" : halted.length > 0 ? "halted" : "running";
      const reasons = [...new Set(halted.flatMap(({ reason }) => reason ?? []))];
      return {
        consumer,
        state,
        ageMs: this.ageMs(consumer),
        parkedKeys: entries.reduce((sum, { parkedKeys }) => sum + parkedKeys, 0),
        reason: entries.length === 0 ? "no worker runs it" : reasons.join("; ") || undefined,
      };
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#reading[Symbol.asyncDispose]());
  }

  async #read(): Promise<void> {
    this.#entries = await this.#options.board.read();
  }

  #fresh(consumer: string): readonly BoardEntry[] {
    const oldestMs = this.#options.clock.nowMs() - reportAgeMaxMs;
    const { except } = this.#options;
    return this.#entries.filter(
      (entry) =>
        entry.consumer === consumer && entry.reportedAtMs >= oldestMs && entry.instance !== except,
    );
  }
}
