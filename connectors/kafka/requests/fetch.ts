import type { KafkaRequest } from "../wire/request.ts";
import type { WireReader } from "../wire/wire-reader.ts";

export interface FetchQuery {
  /** The topic's id, not its name: one that was made anew is another topic. */
  readonly topicId: string;
  /** The broker fills its answer in this order. */
  readonly partitions: readonly { readonly partition: number; readonly offset: number }[];
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
  /** How long the broker may wait until it has something. */
  readonly maxWaitMs: number;
}

export interface FetchAnswer {
  readonly errorCode: number;
  readonly partitions: readonly PartitionAnswer[];
}

export interface PartitionAnswer {
  readonly partition: number;
  readonly errorCode: number;
  /** Record batches; the last one may be cut off. Not copied out of the answer. */
  readonly records: Buffer;
}

/**
 * Without a session, and with isolation "read uncommitted": nothing of ours is written in
 * transactions, and a position never waits for a stranger's. Topics are told by id since version 13
 * (KIP-516).
 */
export const fetch = (query: FetchQuery): KafkaRequest<FetchAnswer> => ({
  name: "Fetch",
  apiKey: 1,
  apiVersion: 13,
  flexible: true,
  encode: (writer) => {
    writer
      .int32(-1)
      .int32(query.maxWaitMs)
      .int32(1)
      .int32(query.bytesMax)
      .int8(0)
      .int32(0)
      .int32(-1)
      .compactArray([query], (to, { topicId, partitions }) =>
        to
          .uuid(topicId)
          .compactArray(partitions, (each, { partition, offset }) =>
            each
              .int32(partition)
              .int32(-1)
              .int64(offset)
              .int32(-1)
              .int64(-1)
              .int32(query.partitionBytesMax)
              .noTags(),
          )
          .noTags(),
      )
      .compactArray([], () => undefined)
      .compactString("")
      .noTags();
  },
  decode: (reader) => {
    reader.int32();
    const errorCode = reader.int16();
    reader.int32();
    const topics = reader.compactArray(() => {
      reader.uuid();
      const partitions = reader.compactArray(readPartition);
      reader.skipTags();
      return partitions;
    });
    return { errorCode, partitions: topics.flat() };
  },
});

function readPartition(reader: WireReader): PartitionAnswer {
  const partition = reader.int32();
  const errorCode = reader.int16();
  for (let offset = 0; offset < 3; offset += 1) reader.int64();
  reader.compactArray(() => {
    reader.int64();
    reader.int64();
    reader.skipTags();
  });
  reader.int32();
  const records = reader.compactBytes();
  reader.skipTags();
  return { partition, errorCode, records };
}
