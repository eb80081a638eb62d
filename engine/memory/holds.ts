import type { Clock } from "../ports/clock.ts";
import type { GenerationHold, HeldPartition } from "../ports/generations.ts";
import type { StandingPartition } from "./positions.ts";

type Held = Omit<GenerationHold, "leftMs"> & {
  readonly untilMs: number;
  readonly stood: Map<string, HeldPartition>;
};

/** Holds in memory; one whose time is over is none. */
export class MemoryHolds {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #holds = new Map<bigint, Held>();
  #last = 0n;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  open(of: Pick<GenerationHold, "projection" | "generation">, forMs: number): bigint {
    this.#last += 1n;
    const untilMs = this.#clock.monotonicMs() + forMs;
    const { projection, generation } = of;
    this.#holds.set(this.#last, {
      id: this.#last,
      projection,
      generation,
      untilMs,
      stood: new Map(),
    });
    return this.#last;
  }

  close(hold: bigint): boolean {
    return this.#holds.delete(hold);
  }

  list(): GenerationHold[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#holds.values()].flatMap(({ id, projection, generation, untilMs }) =>
      untilMs > nowMs ? [{ id, projection, generation, leftMs: untilMs - nowMs }] : [],
    );
  }

  /** undefined: it is over. */
  find(hold: bigint): Held | undefined {
    const held = this.#holds.get(hold);
    return held !== undefined && held.untilMs > this.#clock.monotonicMs() ? held : undefined;
  }

  /** False: the hold is over. */
  stand(hold: bigint, partitions: readonly HeldPartition[]): boolean {
    const held = this.find(hold);
    for (const { topic, partition, epoch } of partitions) {
      held?.stood.set(`${topic}/${partition}`, { topic, partition, epoch });
    }
    return held !== undefined;
  }
}

/** Those that still have the epoch under which they stood. */
export const stillStanding = (
  { stood }: Held,
  standing: readonly StandingPartition[],
): HeldPartition[] =>
  standing.flatMap(({ topic, partition, epoch }) => {
    const told = stood.get(`${topic}/${partition}`);
    return told?.epoch === epoch ? [told] : [];
  });
