import type { GenerationHold, HeldPartition } from "../ports/generations.ts";

interface SeenHold {
  readonly id: bigint;
  /** Monotonic: when the task goes on, whatever became of who asked. */
  readonly untilMs: number;
  /** The partitions, with their epochs, that were told to stand. */
  told: string;
}

/**
 * What holds ask of one consumer. Time left is counted on this process's own clock from when a hold
 * was first seen, and never beyond the maximum, so that a task goes on by itself also when the
 * store that keeps the holds has gone.
 */
export class Standstill {
  readonly #maxMs: number;
  #holds: SeenHold[] = [];
  /** Monotonic; undefined: it moves. */
  #sinceMs: number | undefined;
  #stoodMs = 0;

  /** @param maxMs The longest that one hold may keep the consumer still. */
  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** Takes the holds that there are now instead of those before. */
  see(holds: readonly GenerationHold[], nowMs: number): void {
    this.#holds = holds.map(({ id, leftMs }) => {
      const known = this.#holds.find((one) => one.id === id);
      return known ?? { id, untilMs: nowMs + Math.min(leftMs, this.#maxMs), told: "" };
    });
  }

  /** Monotonic; undefined: nothing asks it to stand. */
  untilMs(nowMs: number): number | undefined {
    const ends = this.#holds.map(({ untilMs }) => untilMs).filter((end) => end > nowMs);
    return ends.length > 0 ? Math.max(...ends) : undefined;
  }

  /** Notes that it stands; holds to which that is news. */
  stand(partitions: readonly HeldPartition[], nowMs: number): bigint[] {
    this.#sinceMs ??= nowMs;
    const telling = textOf(partitions);
    return this.#holds
      .filter(({ told, untilMs }) => untilMs > nowMs && told !== telling)
      .map(({ id }) => id);
  }

  /** A hold knows of it. */
  told(id: bigint, partitions: readonly HeldPartition[]): void {
    const hold = this.#holds.find((one) => one.id === id);
    if (hold) hold.told = textOf(partitions);
  }

  /** Notes that it moves; milliseconds that it has stood, where it did. */
  move(nowMs: number): number | undefined {
    if (this.#sinceMs === undefined) return undefined;
    const stoodMs = nowMs - this.#sinceMs;
    this.#sinceMs = undefined;
    this.#stoodMs += stoodMs;
    return stoodMs;
  }

  /** Milliseconds that it has stood in all, until now. */
  stoodMs(nowMs: number): number {
    return this.#stoodMs + (this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs);
  }
}

const textOf = (partitions: readonly HeldPartition[]): string =>
  `now ${partitions
    .map(({ topic, partition, epoch }) => `${topic}/${partition}@${epoch}`)
    .sort()
    .join(" ")}`;
