import { build, type Histogram } from "hdr-histogram-js";

import type { Connection, RawAnswer } from "./_connection.ts";
import { openLoop } from "./_open-loop.ts";
import type { Window } from "./_window.ts";

interface Answered {
  /** When the query was due (performance.now). */
  readonly dueMs: number;
  /** From then to the answer. */
  readonly tookMs: number;
  readonly fault: string | undefined;
}

export interface SeatQueriesOptions {
  readonly httpUrl: string;
  readonly codes: readonly string[];
  readonly perSecond: number;
}

const connections = 20;

/**
 * Asks for the seats of modules at a steady rate, and keeps what each query took since it was due.
 * An answer other than 200 is a fault, and so is one with fewer seats confirmed than a query of the
 * same module was answered before it was sent: its readers went back.
 */
export class SeatQueries {
  readonly #options: SeatQueriesOptions;
  readonly #answered: Answered[] = [];
  /** When those were due that aren't answered yet. */
  readonly #waiting = new Set<number>();
  /** By module: the most that was seen confirmed. */
  readonly #confirmed = new Map<string, number>();

  constructor(options: SeatQueriesOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { httpUrl, perSecond, codes } = this.#options;
    await openLoop({
      httpUrl,
      perSecond,
      connections,
      signal,
      send: async (connection, { index, dueMs }) => {
        // Steps through all modules, neighbours far apart.
        const code = codes[(index * 7) % codes.length] ?? "";
        this.#waiting.add(dueMs);
        const fault = await this.#ask(connection, code);
        this.#waiting.delete(dueMs);
        this.#answered.push({ dueMs, tookMs: performance.now() - dueMs, fault });
      },
    });
  }

  /** Are all answered that were due before this moment? */
  isAnswered(beforeMs: number): boolean {
    return [...this.#waiting].every((dueMs) => dueMs >= beforeMs);
  }

  /** Of queries that were due in this time, in microseconds. */
  latencies(window: Window): Histogram {
    const latencies = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });
    for (const { tookMs } of this.#within(window)) {
      latencies.recordValue(Math.round(tookMs * 1_000));
    }
    return latencies;
  }

  faults(window: Window): readonly string[] {
    return this.#within(window).flatMap(({ fault }) => fault ?? []);
  }

  #within({ fromMs, toMs }: Window): Answered[] {
    return this.#answered.filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs);
  }

  async #ask(connection: Connection, code: string): Promise<string | undefined> {
    const least = this.#confirmed.get(code) ?? 0;
    const answer = await connection.get(`/modules/${code}/availability`);
    if (answer.status !== 200) return `${code} was answered ${answer.status} ${answer.body}`;
    const confirmed = confirmedIn(answer);
    this.#confirmed.set(code, Math.max(confirmed, this.#confirmed.get(code) ?? 0));
    if (confirmed >= least) return undefined;
    return `${code} had ${least} seats confirmed, and then ${confirmed}`;
  }
}

const confirmedIn = ({ body }: RawAnswer): number =>
  (JSON.parse(body) as { confirmed: number }).confirmed;

/** For people. */
export function latenciesText(latencies: Histogram): string {
  const ms = (microseconds: number): string => (microseconds / 1_000).toFixed(1);
  const at = (percentile: number): string => ms(latencies.getValueAtPercentile(percentile));
  return `p50 ${at(50)}, p99 ${at(99)}, max ${ms(latencies.maxValue)} ms`;
}
