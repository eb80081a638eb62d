import type { KafkaRequest } from "../wire/request.ts";
import type { WireReader } from "../wire/wire-reader.ts";
import { noUuid } from "../wire/wire-writer.ts";

export interface Metadata {
  readonly brokers: readonly BrokerAddress[];
  readonly clusterId: string;
  readonly topics: readonly TopicMetadata[];
}

export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly name: string;
  /** Differs when the topic was deleted and made anew. */
  readonly id: string;
  readonly internal: boolean;
  readonly partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly partition: number;
  /** Node id of the leader; -1 while there is none. */
  readonly leader: number;
}

/** @param topics undefined: all that there are. */
export const metadata = (topics?: readonly string[]): KafkaRequest<Metadata> => ({
  name: "Metadata",
  apiKey: 3,
  apiVersion: 10,
  flexible: true,
  encode: (writer) => {
    writer
      .compactArray(topics ?? null, (to, name) => to.uuid(noUuid).compactString(name).noTags())
      // Neither making topics by asking for them, nor telling what we may do with them.
      .boolean(false)
      .boolean(false)
      .boolean(false)
      .noTags();
  },
  decode: (reader) => {
    reader.int32();
    const brokers = reader.compactArray(readBroker);
    const clusterId = reader.compactString();
    reader.int32();
    return { brokers, clusterId, topics: reader.compactArray(readTopic) };
  },
});

function readBroker(reader: WireReader): BrokerAddress {
  const broker = { nodeId: reader.int32(), host: reader.compactString(), port: reader.int32() };
  reader.compactNullableString();
  reader.skipTags();
  return broker;
}

function readTopic(reader: WireReader): TopicMetadata {
  const topic = {
    errorCode: reader.int16(),
    name: reader.compactString(),
    id: reader.uuid(),
    internal: reader.boolean(),
    partitions: reader.compactArray(readPartition).sort((a, b) => a.partition - b.partition),
  };
  reader.int32();
  reader.skipTags();
  return topic;
}

function readPartition(reader: WireReader): PartitionMetadata {
  // An error here says that there is no leader, or that a replica is missing; the leader tells.
  reader.int16();
  const found = { partition: reader.int32(), leader: reader.int32() };
  reader.int32();
  for (let list = 0; list < 3; list += 1) reader.compactArray(() => reader.int32());
  reader.skipTags();
  return found;
}
