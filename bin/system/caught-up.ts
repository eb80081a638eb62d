import { TransientError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { EventStore } from "../../engine/ports/event-store.ts";
import type { Position } from "../../engine/position.ts";

/** A projection or processor, as far as its place in event topics goes. */
export interface Follower {
  readonly name: string;
  /** Names of the event topics that it reads. */
  readonly topics: readonly string[];
  readonly positions: () => Promise<
    readonly {
      readonly topic: string;
      readonly partition: number;
      readonly position: Position | undefined;
    }[]
  >;
}

export interface CaughtUpOptions {
  readonly eventStore: Pick<EventStore, "lanes">;
  readonly followers: readonly Follower[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Followers that don't move for so long have stopped. */
  readonly patienceMs: number;
  readonly onProgress?: (behind: bigint) => void;
}

/**
 * Waits until the followers have applied every event that the store holds, those included that
 * processors append meanwhile.
 *
 * @throws TransientError `behind` when they stand still.
 */
export async function untilCaughtUp(options: CaughtUpOptions): Promise<void> {
  const { clock, signal } = options;
  let least: bigint | undefined;
  let movedAtMs = clock.monotonicMs();
  for (;;) {
    const behind = await eventsBehind(options);
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

type Places = ReadonlyMap<string, bigint>;

/** Positions first: what a processor appends with its position is then seen in the ends. */
async function eventsBehind({ followers, eventStore }: CaughtUpOptions): Promise<bigint> {
  const nexts = await Promise.all(followers.map(nextSequences));
  const topics = new Set(followers.flatMap((follower) => follower.topics));
  const ends = new Map<string, bigint>();
  for (const topic of topics) {
    for (const lane of await eventStore.lanes(topic)) {
      ends.set(`${topic}/${lane.partition}`, lane.lastSequence);
    }
  }
  let behind = 0n;
  followers.forEach((follower, at) => {
    for (const [lane, end] of ends) {
      if (!follower.topics.includes(lane.slice(0, lane.lastIndexOf("/")))) continue;
      const missing = end + 1n - (nexts[at]?.get(lane) ?? 1n);
      if (missing > 0n) behind += missing;
    }
  });
  return behind;
}

async function nextSequences({ positions }: Follower): Promise<Places> {
  const next = new Map<string, bigint>();
  for (const { topic, partition, position } of await positions()) {
    const source = position?.source;
    if (source?.kind === "lane") next.set(`${topic}/${partition}`, source.nextSequence);
  }
  return next;
}

function stuck(behind: bigint, { followers, patienceMs }: CaughtUpOptions): TransientError {
  return new TransientError(
    "behind",
    `${followers.map(({ name }) => name).join(", ")}: standing still, ${behind} events behind, ` +
      `for ${patienceMs / 1_000} s. Look at refold status, then try again.`,
  );
}
