import type { Clock } from "../../engine/ports/clock.ts";
import type { GenerationInfo, Generations } from "../../engine/ports/generations.ts";
import type { ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import type { Offset } from "../../engine/position.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import { keepHouse } from "./housekeeping.ts";

export interface FrozenAgesOptions {
  readonly generations: Pick<Generations, "list">;
  readonly reader: Pick<ReadModelReader, "positions">;
  readonly log: Pick<RecordLog, "bounds" | "read">;
  /** What this process has the code of. */
  readonly projections: readonly { readonly name: string; readonly version: number }[];
  readonly isWorkedOn: (of: GenerationInfo) => Promise<boolean>;
  readonly clock: Clock;
  readonly report: (message: string) => void;
}

const lookEveryMs = 1_000;
/** One record of each partition is wanted. */
const fetchBytesMax = 64 * 1024;

/**
 * How old read models are that serve without anybody who works on them, because their code is gone:
 * the time since the first record that they lack was recorded; 0 where they have all.
 */
export class FrozenAges implements AsyncDisposable {
  readonly #options: FrozenAgesOptions;
  /** Recorded time of the first record that each lacks; undefined: it has all. */
  readonly #lacksFromMs = new Map<string, number | undefined>();
  readonly #looking: AsyncDisposable;

  constructor(options: FrozenAgesOptions) {
    this.#options = options;
    const chores = [{ name: "Looking at the age of what serves", run: () => this.#look() }];
    this.#looking = keepHouse({ ...options, everyMs: lookEveryMs, chores });
  }

  /** undefined: somebody works on it, or it was never looked at. */
  ageMs(projection: string): number | undefined {
    if (!this.#lacksFromMs.has(projection)) return undefined;
    const fromMs = this.#lacksFromMs.get(projection);
    return fromMs === undefined ? 0 : Math.max(0, this.#options.clock.nowMs() - fromMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#looking[Symbol.asyncDispose]();
  }

  async #look(): Promise<void> {
    const { generations, projections, isWorkedOn } = this.#options;
    const serving = (await generations.list()).filter(({ role }) => role === "serving");
    for (const { name, version } of projections) {
      const live = serving.find(({ projection }) => projection === name);
      const isFrozen = live && live.version !== version && !(await isWorkedOn(live));
      if (isFrozen) this.#lacksFromMs.set(name, await this.#firstLacking(name));
      else this.#lacksFromMs.delete(name);
    }
  }

  async #firstLacking(projection: string): Promise<number | undefined> {
    const { reader, log } = this.#options;
    const byTopic = new Map<string, Map<number, Offset>>();
    for (const { topic, partition, position } of await reader.positions(projection)) {
      const places = byTopic.get(topic) ?? new Map<number, Offset>();
      byTopic.set(topic, places.set(partition, position.nextOffset));
    }
    const times: number[] = [];
    for (const [topic, stands] of byTopic) {
      const from = new Map<number, Offset>();
      for (const { partition, start, end } of await log.bounds(topic)) {
        const at = stands.get(partition) ?? start;
        if (at < end) from.set(partition, at < start ? start : at);
      }
      times.push(...(await firstTimes(log, topic, from)));
    }
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

/** Recorded times of the first record at or after these offsets, of each partition that has one. */
async function firstTimes(
  log: Pick<RecordLog, "read">,
  topic: string,
  from: ReadonlyMap<number, Offset>,
): Promise<number[]> {
  const times = new Map<number, number>();
  if (from.size === 0) return [];
  const stop = new AbortController();
  const cursor = new RecordCursor();
  const { signal } = stop;
  try {
    for await (const fetch of log.read({ topic, from, until: "end", fetchBytesMax, signal })) {
      for (const { partition, bytes } of fetch.partitions) {
        if (times.has(partition)) continue;
        cursor.reset(bytes, from.get(partition) ?? 0n);
        if (cursor.next()) times.set(partition, cursor.timestampMs);
      }
      if (times.size === from.size) break;
    }
  } finally {
    stop.abort();
  }
  return [...times.values()];
}
