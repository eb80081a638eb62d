import { TransientError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { EventStore } from "../../engine/ports/event-store.ts";
import type { ReadModelReader } from "../../engine/ports/read-model-reader.ts";

export interface CaughtUpOptions {
  readonly eventStore: Pick<EventStore, "lanes">;
  readonly reader: Pick<ReadModelReader, "positions">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly topic: string;
  readonly projections: readonly string[];
  /** A projection that doesn't move for so long has stopped. */
  readonly patienceMs: number;
  readonly onProgress?: (behind: bigint) => void;
}

/** Waits until the projections have applied every event that the store holds of the topic now. */
export async function untilCaughtUp(options: CaughtUpOptions): Promise<void> {
  const { clock, signal } = options;
  const ends = new Map<number, bigint>();
  for (const lane of await options.eventStore.lanes(options.topic)) {
    ends.set(lane.partition, lane.lastSequence);
  }
  let least: bigint | undefined;
  let movedAtMs = clock.monotonicMs();
  for (;;) {
    const behind = await eventsBehind(ends, options);
    options.onProgress?.(behind);
    if (behind === 0n || signal.aborted) return;
    if (least === undefined || behind < least) {
      least = behind;
      movedAtMs = clock.monotonicMs();
    }
    if (clock.monotonicMs() - movedAtMs > options.patienceMs) throw stuck(behind, options);
    await clock.sleep(20, signal);
  }
}

async function eventsBehind(
  ends: ReadonlyMap<number, bigint>,
  { reader, projections, topic }: CaughtUpOptions,
): Promise<bigint> {
  let behind = 0n;
  for (const projection of projections) {
    const next = new Map<number, bigint>();
    for (const one of await reader.positions(projection)) {
      const { source } = one.position;
      if (one.topic === topic && source.kind === "lane")
        next.set(one.partition, source.nextSequence);
    }
    for (const [partition, end] of ends) {
      const missing = end + 1n - (next.get(partition) ?? 1n);
      if (missing > 0n) behind += missing;
    }
  }
  return behind;
}

function stuck(behind: bigint, { projections, patienceMs }: CaughtUpOptions): TransientError {
  return new TransientError(
    "behind",
    `The projections ${projections.join(", ")} stand still, ${behind} events behind, for ` +
      `${patienceMs / 1_000} s: look at refold status, then run the import again.`,
  );
}
