import { FatalError } from "../errors.ts";
import type { PartitionBounds, TopicSpec } from "../ports/record-log.ts";

/** What every adapter of the record log says alike (see the port). */
export function topicUnknown(topic: string, known: readonly string[]): FatalError {
  const there =
    known.length === 0 ? "The log has no topics yet." : `Its topics: ${known.join(", ")}.`;
  return new FatalError("topic-unknown", `The log has no topic ${topic}.`, there);
}

export function partitionUnknown(topic: string, partition: number, partitions: number): FatalError {
  return new FatalError(
    "partition-unknown",
    `Topic ${topic} has no partition ${partition}.`,
    `It has ${partitions}: 0 to ${partitions - 1}.`,
  );
}

export function partitionsDiffer(spec: TopicSpec, found: number): FatalError {
  return new FatalError(
    "partitions-differ",
    `Topic ${spec.name} has ${found} partitions, and ${spec.partitions} are declared: keys would ` +
      "change their partition and lose their order.",
    `Declare ${found} partitions, or give the topic another name.`,
  );
}

export function outOfRange(topic: string, wanted: bigint, bounds: PartitionBounds): FatalError {
  const { partition, start, end } = bounds;
  if (wanted > end) {
    return new FatalError(
      "out-of-range",
      `Offset ${wanted} of ${topic}, partition ${partition}, was never written: the partition ends ` +
        `at ${end}. The log was replaced or restored from an older backup.`,
      "Compare the log with the event store before anything reads on.",
    );
  }
  return new FatalError(
    "out-of-range",
    `Offsets ${wanted} to ${start - 1n} of ${topic}, partition ${partition}, are gone by its ` +
      `retention; it begins at ${start}.`,
    "Rebuild what reads it from a source that still has them, or begin at the start knowingly.",
  );
}

/** A topic's name and size as Kafka would accept them. @throws TypeError */
export function assertTopicSpec(spec: TopicSpec): void {
  const { name, partitions, retentionMs } = spec;
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(name) || name === "." || name === "..") {
    throw new TypeError(`${JSON.stringify(name)} is no name for a topic.`);
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 10_000) {
    throw new TypeError(`Topic ${name} can't have ${partitions} partitions: 1 to 10,000.`);
  }
  if (retentionMs !== undefined && !(Number.isSafeInteger(retentionMs) && retentionMs > 0)) {
    throw new TypeError(`Topic ${name} can't be kept for ${retentionMs} ms: a positive number.`);
  }
}

/** Are all offsets wanted between start and end? @throws FatalError naming what isn't. */
export function assertReadable(
  topic: string,
  from: ReadonlyMap<number, bigint>,
  bounds: readonly PartitionBounds[],
): void {
  const byPartition = new Map(bounds.map((one) => [one.partition, one]));
  for (const [partition, wanted] of from) {
    const found = byPartition.get(partition);
    if (!found) throw partitionUnknown(topic, partition, bounds.length);
    if (wanted < found.start || wanted > found.end) throw outOfRange(topic, wanted, found);
  }
}
