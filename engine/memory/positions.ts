import { byPlace, fencedOut, partitionsUnknown, samePosition, type Place } from "../fencing.ts";
import { epoch, type Position } from "../position.ts";
import type { ReadPosition } from "../ports/read-model-reader.ts";
import type { Advance, OwnedPartition } from "../ports/read-model-store.ts";

export type StandingPartition = OwnedPartition & {
  readonly records: number;
  readonly lastRecordedAtMs: number | undefined;
};

/** The positions of one consumer, with the epochs that fence them. */
export class MemoryPositions {
  readonly #owner: string;
  readonly #partitions = new Map<string, StandingPartition>();

  constructor(owner: string) {
    this.#owner = owner;
  }

  add(topics: readonly { readonly name: string; readonly partitions: number }[]): void {
    for (const { name: topic, partitions } of topics) {
      for (let partition = 0; partition < partitions; partition += 1) {
        const key = keyOf({ topic, partition });
        if (!this.#partitions.has(key)) this.#partitions.set(key, unclaimed(topic, partition));
      }
    }
  }

  /** Where reading begins, of a consumer that has applied nothing yet. */
  begin(positions: readonly (ReadPosition & { readonly records?: number })[]): void {
    for (const { topic, partition, position, lastRecordedAtMs, records = 0 } of positions) {
      const standing = this.#standing({ topic, partition });
      const begun = { ...standing, position: copyPosition(position), lastRecordedAtMs, records };
      this.#partitions.set(keyOf(standing), begun);
    }
  }

  claim(places: readonly Place[]): OwnedPartition[] {
    const unknown = places.filter((place) => !this.#partitions.has(keyOf(place)));
    if (unknown.length > 0) throw partitionsUnknown(this.#owner, unknown);
    return places.map((place) => {
      const standing = this.#standing(place);
      const claimed = { ...standing, epoch: epoch(standing.epoch + 1n) };
      this.#partitions.set(keyOf(place), claimed);
      const { topic, partition, position } = claimed;
      return { topic, partition, epoch: claimed.epoch, position: copyPosition(position) };
    });
  }

  /** @throws FencedError naming every partition that isn't where the flush expects it. */
  check(advances: readonly Advance[]): void {
    const lost = advances.filter((advance) => {
      const standing = this.#partitions.get(keyOf(advance));
      return (
        standing === undefined ||
        standing.epoch !== advance.epoch ||
        !samePosition(standing.position, advance.from)
      );
    });
    if (lost.length > 0) throw fencedOut(this.#owner, lost);
  }

  advance(advances: readonly Advance[]): void {
    for (const { topic, partition, ...advance } of advances) {
      const standing = this.#standing({ topic, partition });
      this.#partitions.set(keyOf({ topic, partition }), {
        ...standing,
        position: copyPosition(advance.to),
        records: standing.records + advance.records,
        lastRecordedAtMs: advance.lastRecordedAtMs ?? standing.lastRecordedAtMs,
      });
    }
  }

  /** In order of topic and partition. */
  all(): StandingPartition[] {
    return [...this.#partitions.values()]
      .sort(byPlace)
      .map((standing) => ({ ...standing, position: copyPosition(standing.position) }));
  }

  #standing(place: Place): StandingPartition {
    return this.#partitions.get(keyOf(place)) ?? unclaimed(place.topic, place.partition);
  }
}

/** Partitions of which nothing was applied have no position to tell. */
export const readPositionsOf = (standing: readonly StandingPartition[]): ReadPosition[] =>
  standing.flatMap(({ topic, partition, position, lastRecordedAtMs }) =>
    position === undefined ? [] : [{ topic, partition, position, lastRecordedAtMs }],
  );

const keyOf = ({ topic, partition }: Place) => `${topic} ${partition}`;

const unclaimed = (topic: string, partition: number): StandingPartition => ({
  topic,
  partition,
  epoch: epoch(0),
  position: undefined,
  records: 0,
  lastRecordedAtMs: undefined,
});

function copyPosition(position: Position): Position;
function copyPosition(position: Position | undefined): Position | undefined;
function copyPosition(position: Position | undefined): Position | undefined {
  return position && { ...position, source: { ...position.source } };
}
