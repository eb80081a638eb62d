import { Latencies } from "../bin/demo/crowd/latencies.ts";

/**
 * `settled`: a yes, or a no of the rules. `put off`: 429 or 503, to come again. What is settled is
 * measured apart, because a server could look quick by putting everybody off.
 */
export type AnswerKind = "settled" | "put off";

const kinds: readonly AnswerKind[] = ["settled", "put off"];

/** How long answers took, by kind, and how many came in each second. */
export class AnswerTally {
  readonly #latencies = { settled: new Latencies(), "put off": new Latencies() };
  readonly #perSecond: { [kind in AnswerKind]: number }[] = [];
  readonly #beganMs: number;

  /** @param beganMs When the first second began (performance.now). */
  constructor(beganMs: number) {
    this.#beganMs = beganMs;
  }

  /** Takes an answer that came now to a request that was due then (performance.now). */
  add(kind: AnswerKind, dueMs: number): void {
    const nowMs = performance.now();
    this.#latencies[kind].add(nowMs - dueMs);
    const second = Math.max(0, Math.floor((nowMs - this.#beganMs) / 1_000));
    while (this.#perSecond.length <= second) this.#perSecond.push({ settled: 0, "put off": 0 });
    const counts = this.#perSecond[second];
    if (counts !== undefined) counts[kind] += 1;
  }

  percentile(kind: AnswerKind, percent: number): number {
    return this.#latencies[kind].percentile(percent);
  }

  /** For people: latencies by kind, and the answers of each second. */
  *lines(): Generator<string> {
    for (const kind of kinds) {
      const percent = (of: number): string => this.percentile(kind, of).toFixed(0);
      yield (
        `${kind} ${this.#latencies[kind].count}, from due to answered, ms: ` +
        `p50 ${percent(50)}, p99 ${percent(99)}, most ${percent(100)}`
      );
    }
    for (const kind of kinds) {
      yield `${kind} in each second: ${this.#perSecond.map((counts) => counts[kind]).join(" ")}`;
    }
  }
}
