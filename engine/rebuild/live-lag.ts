import type { Clock } from "../ports/clock.ts";
import type { Generation, ReadModelStore } from "../ports/read-model-store.ts";
import type { PartitionBounds, RecordLog } from "../ports/record-log.ts";
import { placeOf } from "../replay/cuts.ts";
import { EndHistory } from "../runner/end-history.ts";

export interface LiveLagOptions {
  readonly generation: Generation;
  readonly readModels: Pick<ReadModelStore, "positions">;
  readonly log: Pick<RecordLog, "bounds">;
  readonly clock: Pick<Clock, "nowMs">;
}

interface Place {
  readonly ends: EndHistory;
  next: bigint;
  movedAtMs: number;
  lagMs: number;
}

/**
 * How long the oldest record that a generation hasn't applied has waited, seen from outside: its
 * stored positions against the log's ends. Nothing is asked of whoever works on it.
 */
export class LiveLag {
  readonly #options: LiveLagOptions;
  readonly #places = new Map<string, Place>();

  constructor(options: LiveLagOptions) {
    this.#options = options;
  }

  /** The longest of all partitions that have moved since `unmovedSinceMs`; 0 where none waits. */
  lagMs(unmovedSinceMs = -Infinity): number {
    let lagMs = 0;
    for (const place of this.#places.values()) {
      if (place.movedAtMs >= unmovedSinceMs) lagMs = Math.max(lagMs, place.lagMs);
    }
    return lagMs;
  }

  async look(): Promise<void> {
    const { generation, readModels, log, clock } = this.#options;
    const positions = await readModels.positions(generation);
    for (const topic of new Set(positions.map((one) => one.topic))) {
      const bounds = await log.bounds(topic);
      const atMs = clock.nowMs();
      for (const one of positions) {
        const of = bounds.find(({ partition }) => partition === one.partition);
        if (one.topic !== topic || of === undefined) continue;
        this.#see(placeOf(one), one.position?.nextOffset ?? of.start, { of, atMs });
      }
    }
  }

  #see(
    name: string,
    next: bigint,
    { of, atMs }: { readonly of: PartitionBounds; readonly atMs: number },
  ): void {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = { ends: new EndHistory(), next, movedAtMs: atMs, lagMs: 0 };
      this.#places.set(name, place);
    }
    place.ends.note(Number(of.end), atMs, of.lastTimestampMs);
    // One that has everything isn't kept from moving.
    if (next !== place.next || next >= of.end) place.movedAtMs = atMs;
    place.next = next;
    place.lagMs = next < of.end ? atMs - (place.ends.passedAtMs(Number(next)) ?? atMs) : 0;
    place.ends.forget(Number(next));
  }
}
