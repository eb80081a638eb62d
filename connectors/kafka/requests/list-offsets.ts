import type { KafkaRequest } from "../wire/request.ts";

/** Instead of a time: the first offset, the end, and where the largest timestamp is. */
export const specialTimes = { earliest: -2, latest: -1, largest: -3 } as const;

export interface ListedOffset {
  readonly partition: number;
  readonly errorCode: number;
  /** -1 where there is none. */
  readonly timestampMs: number;
  /** -1 where nothing is at or after the time. */
  readonly offset: bigint;
}

export interface ListOffsetsQuery {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly timestampMs: number;
}

/** The first offset whose timestamp is at or after a time, by partition of one leader. */
export const listOffsets = (query: ListOffsetsQuery): KafkaRequest<ListedOffset[]> => ({
  name: "ListOffsets",
  apiKey: 2,
  apiVersion: 7,
  flexible: true,
  encode: (writer) => {
    writer
      .int32(-1)
      .int8(0)
      .compactArray([query], (to, { topic, partitions, timestampMs }) =>
        to
          .compactString(topic)
          .compactArray(partitions, (each, partition) =>
            each.int32(partition).int32(-1).int64(timestampMs).noTags(),
          )
          .noTags(),
      )
      .noTags();
  },
  decode: (reader) => {
    reader.int32();
    return reader
      .compactArray(() => {
        reader.compactString();
        const partitions = reader.compactArray(() => {
          const listed = {
            partition: reader.int32(),
            errorCode: reader.int16(),
            timestampMs: reader.int64(),
            offset: reader.bigInt64(),
          };
          reader.int32();
          reader.skipTags();
          return listed;
        });
        reader.skipTags();
        return partitions;
      })
      .flat();
  },
});
