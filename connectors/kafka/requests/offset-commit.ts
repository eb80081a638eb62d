import type { KafkaRequest } from "../wire/request.ts";
import type { BrokerAddress } from "./metadata.ts";

export interface Coordinator extends BrokerAddress {
  readonly errorCode: number;
}

/** Which broker keeps a group's offsets. */
export const findCoordinator = (group: string): KafkaRequest<Coordinator> => ({
  name: "FindCoordinator",
  apiKey: 10,
  apiVersion: 2,
  flexible: false,
  encode: (writer) => {
    writer.string(group).int8(0);
  },
  decode: (reader) => {
    reader.int32();
    const errorCode = reader.int16();
    reader.nullableString();
    return { errorCode, nodeId: reader.int32(), host: reader.string(), port: reader.int32() };
  },
});

export interface GroupOffsets {
  readonly group: string;
  readonly topics: ReadonlyMap<string, ReadonlyMap<number, bigint>>;
}

/**
 * Commits offsets as nobody's member (generation -1): Kafka takes them while the group has no
 * members. Gives the error codes, one for each partition.
 */
export const offsetCommit = ({ group, topics }: GroupOffsets): KafkaRequest<number[]> => ({
  name: "OffsetCommit",
  apiKey: 8,
  apiVersion: 7,
  flexible: false,
  encode: (writer) => {
    writer
      .string(group)
      .int32(-1)
      .string("")
      .string(null)
      .array([...topics], (to, [topic, offsets]) =>
        to
          .string(topic)
          .array([...offsets], (each, [partition, offset]) =>
            each.int32(partition).bigInt64(offset).int32(-1).string(null),
          ),
      );
  },
  decode: (reader) => {
    reader.int32();
    return reader
      .array(() => {
        reader.string();
        return reader.array(() => {
          reader.int32();
          return reader.int16();
        });
      })
      .flat();
  },
});
