import { type Point, type Trend, trendOf } from "./_trend.ts";

/** What a process holds at a time. */
export interface MemorySample {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  /** Sockets, timers and the like that keep the process going. */
  readonly handles: number;
}

export type Held = "resident memory" | "heap in use" | "external memory" | "handles";

/** The kinds of a sample, in the unit that they are told in. */
const kinds: Readonly<Record<Held, (sample: MemorySample) => number>> = {
  "resident memory": ({ rssBytes }) => rssBytes / 1_048_576,
  "heap in use": ({ heapUsedBytes }) => heapUsedBytes / 1_048_576,
  "external memory": ({ externalBytes }) => externalBytes / 1_048_576,
  handles: ({ handles }) => handles,
};

export const held = Object.keys(kinds) as readonly Held[];

export const unitOf = (kind: Held): string => (kind === "handles" ? "handles" : "MiB");

/** Of the measured time: long enough for a collection of the old generation in most of them. */
const windows = 24;
const samplesOfWindowMin = 3;

/**
 * A process that leaks holds more after each collection than after the one before; what it holds
 * between two collections says nothing. So a curve is the least of each of 24 windows of the time
 * that is measured, and its trend is judged.
 */
export class MemoryCurve {
  readonly #samples: MemorySample[] = [];

  take(sample: MemorySample): void {
    this.#samples.push(sample);
  }

  /** The least of each window of the samples from this moment on; fewer windows for few samples. */
  least(kind: Held, fromMs: number): Point[] {
    const samples = this.#samples.filter(({ atMs }) => atMs >= fromMs);
    const size = Math.max(samplesOfWindowMin, samples.length / windows);
    const points: Point[] = [];
    for (let begin = 0; begin + size <= samples.length + 0.5; begin += size) {
      const window = samples.slice(Math.floor(begin), Math.floor(begin + size));
      const value = Math.min(...window.map(kinds[kind]));
      const middle = window[Math.floor(window.length / 2)];
      if (middle) points.push({ at: (middle.atMs - fromMs) / 60_000, value });
    }
    return points;
  }

  largest(kind: Held): number {
    return Math.max(...this.#samples.map(kinds[kind]));
  }

  /** By minute. Undefined: too few windows to judge by. */
  trend(kind: Held, fromMs: number): Trend | undefined {
    const points = this.least(kind, fromMs);
    return points.length < 8 ? undefined : trendOf(points);
  }

  /** A line for each window: the minute, and what was held. */
  text(fromMs: number): string {
    const rows = held.map((kind) => this.least(kind, fromMs));
    const lines = (rows[0] ?? []).map(({ at }, index) => {
      const values = rows.map((row) => (row[index]?.value ?? 0).toFixed(1).padStart(16));
      return `${at.toFixed(2).padStart(8)}${values.join("")}`;
    });
    const head = `${"minute".padStart(8)}${held.map((kind) => kind.padStart(16)).join("")}`;
    return [head, ...lines].join("\n");
  }
}
