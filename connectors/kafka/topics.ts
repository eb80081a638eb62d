import { FatalError, TransientError } from "../../engine/errors.ts";
import { offset, type Offset } from "../../engine/position.ts";
import type { PartitionBounds, TopicInfo, TopicSpec } from "../../engine/ports/record-log.ts";
import type { KafkaCluster } from "./cluster.ts";
import { brokerFault, errorCodes } from "./error-codes.ts";
import { createTopic } from "./requests/create-topics.ts";
import { describeConfigs } from "./requests/describe-configs.ts";
import { type ListedOffset, listOffsets, specialTimes } from "./requests/list-offsets.ts";
import type { TopicMetadata } from "./requests/metadata.ts";

const retention = "retention.ms";

/** Makes the topic where it isn't there; what is there already stays as it is. */
export async function makeTopic(
  cluster: KafkaCluster,
  spec: TopicSpec,
  replicationFactor: number,
): Promise<void> {
  const { errorCode, errorMessage } = await cluster.ask(
    createTopic({
      name: spec.name,
      partitions: spec.partitions,
      replicationFactor,
      configs: {
        "cleanup.policy": "delete",
        // The broker's own default would delete records with old timestamps.
        [retention]: String(spec.retentionMs ?? -1),
        "message.timestamp.type": "CreateTime",
      },
      timeoutMs: 10_000,
    }),
  );
  if (errorCode === 0 || errorCode === errorCodes.topicAlreadyExists) return;
  throw brokerFault(errorCode, `Making topic ${spec.name}`, errorMessage);
}

/** Topics as they are, with the retention that is in force. */
export async function describeTopics(
  cluster: KafkaCluster,
  topics: readonly TopicMetadata[],
): Promise<TopicInfo[]> {
  if (topics.length === 0) return [];
  const names = topics.map(({ name }) => name);
  const configs = await cluster.ask(describeConfigs(names, [retention]));
  const byName = new Map(configs.map((config) => [config.topic, config]));
  return topics.map(({ name, id, partitions }) => {
    const config = byName.get(name);
    if (config && config.errorCode !== 0) {
      throw brokerFault(config.errorCode, `Reading the configuration of topic ${name}`);
    }
    const retentionMs = Number(config?.values.get(retention) ?? -1);
    const info = { name, id, partitions: partitions.length };
    return retentionMs < 0 ? info : { ...info, retentionMs };
  });
}

/** A topic whose partitions all have leaders: just after it was made, some have not. */
export async function topicWithLeaders(
  cluster: KafkaCluster,
  name: string,
): Promise<TopicMetadata> {
  const topic = await cluster.topic(name);
  const leaderless = topic.partitions.find(({ leader }) => leader < 0);
  if (leaderless === undefined) return topic;
  throw new TransientError("kafka", `Partition ${leaderless.partition} of ${name} has no leader.`);
}

export interface OffsetsQuery {
  readonly topic: TopicMetadata;
  /** Left out: all. */
  readonly partitions?: readonly number[];
  readonly timestampMs: number;
}

/** Asks each leader for its partitions. */
export async function listPartitions(
  cluster: KafkaCluster,
  { topic, partitions, timestampMs }: OffsetsQuery,
): Promise<ReadonlyMap<number, ListedOffset>> {
  const answers = await Promise.all(
    [...byLeader(topic, partitions)].map(([leader, ofLeader]) =>
      cluster.askNode(
        leader,
        listOffsets({ topic: topic.name, partitions: ofLeader, timestampMs }),
      ),
    ),
  );
  const listed = answers.flat().sort((a, b) => a.partition - b.partition);
  for (const { errorCode, partition } of listed) {
    if (errorCode === 0) continue;
    throw brokerFault(errorCode, `Asking for offsets of ${topic.name}, partition ${partition}`);
  }
  return new Map(listed.map((one) => [one.partition, one]));
}

/** Start, end and largest timestamp of each partition. The ends are taken last. */
export async function partitionBounds(
  cluster: KafkaCluster,
  topic: TopicMetadata,
): Promise<PartitionBounds[]> {
  const at = (timestampMs: number) => listPartitions(cluster, { topic, timestampMs });
  const starts = await at(specialTimes.earliest);
  const [largest, ends] = await Promise.all([at(specialTimes.largest), at(specialTimes.latest)]);
  return topic.partitions.map(({ partition }) => {
    const lastTimestampMs = largest.get(partition)?.timestampMs ?? -1;
    const bounds = {
      partition,
      start: known(starts.get(partition)?.offset, topic.name),
      end: known(ends.get(partition)?.offset, topic.name),
    };
    return lastTimestampMs < 0 ? bounds : { ...bounds, lastTimestampMs };
  });
}

function known(found: bigint | undefined, topic: string): Offset {
  if (found !== undefined && found >= 0n) return offset(found);
  throw new FatalError(
    "kafka",
    `The broker told no offset for a partition of ${topic}.`,
    "See its log.",
  );
}

function byLeader(topic: TopicMetadata, wanted?: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const { partition, leader } of topic.partitions) {
    if (wanted && !wanted.includes(partition)) continue;
    groups.set(leader, [...(groups.get(leader) ?? []), partition]);
  }
  return groups;
}
