import { FatalError } from "../../../engine/errors.ts";

export function topicReplaced(topic: string, how: "deleted" | "made anew"): FatalError {
  return new FatalError(
    "topic-unknown",
    `Topic ${topic} was ${how} while it was read: its offsets mean other records now, or none.`,
    "Fill it again from the event store, and rebuild what reads it.",
  );
}

export function partitionCountChanged(topic: string, from: number, to: number): FatalError {
  return new FatalError(
    "partitions-differ",
    `Topic ${topic} grew from ${from} to ${to} partitions while it was read: keys change their ` +
      "partition and lose their order.",
    "Declare a new topic with that many partitions, fill it from the event store and read that.",
  );
}
