import type { Fact } from "../engine/decision/definition.ts";
import { partitionOf } from "../engine/partitioner.ts";
import type { AppendedEvent, EventStore } from "../engine/ports/event-store.ts";
import type { ReadPosition } from "../engine/ports/read-model-reader.ts";
import { encodePositionToken, type LanePosition } from "../engine/position-token.ts";
import { sequence } from "../engine/position.ts";
import type { EventTopic } from "../engine/topic.ts";

/** The lane that a key's events are on. */
export interface KeyLane {
  readonly topic: string;
  readonly partition: number;
}

export const laneOf = (key: string, { name, partitions }: EventTopic): KeyLane => ({
  topic: name,
  partition: partitionOf(key, partitions),
});

/** The lane that a fact's event is on. */
export const laneOfFact = ({ topic, event }: Fact): KeyLane =>
  laneOf(String(fieldOf(event, topic.key)), topic);

/** Where a command's event stands. */
export const placeOf = (lane: KeyLane, { sequence: at }: AppendedEvent): LanePosition => ({
  ...lane,
  sequence: at,
});

/** The token of what a command wrote, event by event: the last sequence in each of its lanes. */
export function writtenPosition(incarnation: string, written: readonly LanePosition[]): string {
  const lanes = new Map<string, LanePosition>();
  for (const place of written) {
    // Events of one lane stand in order of sequence: the last one is the highest.
    lanes.set(`${place.topic} ${place.partition}`, place);
  }
  return encodePositionToken({ incarnation, lanes: [...lanes.values()] });
}

/**
 * The token of a lane as it stands in the store: at least as far as whatever was written there
 * before, for a command that found nothing left to do.
 */
export async function storedPosition(
  eventStore: Pick<EventStore, "incarnation" | "lanes">,
  { topic, partition }: KeyLane,
): Promise<string> {
  const ends = await eventStore.lanes(topic);
  const lanes = ends
    .filter((end) => end.partition === partition && end.lastSequence > 0n)
    .map((end) => ({ topic, partition, sequence: end.lastSequence }));
  return encodePositionToken({ incarnation: await eventStore.incarnation(), lanes });
}

/** The token of the lane that a key's events are on, as far as a read model has come. */
export function positionOfKey(
  key: string,
  topic: EventTopic,
  positions: readonly ReadPosition[],
): string | undefined {
  const partition = partitionOf(key, topic.partitions);
  const found = positions.find((at) => at.topic === topic.name && at.partition === partition);
  const source = found?.position.source;
  if (source?.kind !== "lane") return undefined;
  const lane = { topic: topic.name, partition, sequence: sequence(source.nextSequence - 1n) };
  return encodePositionToken({ incarnation: source.incarnation, lanes: [lane] });
}

const fieldOf = (event: unknown, name: string): unknown =>
  (event as Readonly<Record<string, unknown>>)[name];
