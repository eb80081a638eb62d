import type { KafkaRequest } from "../wire/request.ts";

export interface ProduceQuery {
  /** How long the broker may wait for the replicas. */
  readonly timeoutMs: number;
  readonly topics: readonly ProduceTopic[];
}

export interface ProduceTopic {
  readonly topic: string;
  /** One batch for each partition, as the broker demands. */
  readonly partitions: readonly { readonly partition: number; readonly batch: Buffer }[];
}

export interface ProducedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** -1 where the broker doesn't know it. */
  readonly baseOffset: bigint;
}

/** Appends batches, acknowledged by all replicas that are in sync. */
export const produce = (query: ProduceQuery): KafkaRequest<ProducedPartition[]> => ({
  name: "Produce",
  apiKey: 0,
  apiVersion: 7,
  flexible: false,
  encode: (writer) => {
    writer
      .string(null)
      .int16(-1)
      .int32(query.timeoutMs)
      .array(query.topics, (to, { topic, partitions }) =>
        to
          .string(topic)
          .array(partitions, (each, { partition, batch }) => each.int32(partition).bytes(batch)),
      );
  },
  decode: (reader) =>
    reader
      .array(() => {
        const topic = reader.string();
        return reader.array(() => {
          const produced = {
            topic,
            partition: reader.int32(),
            errorCode: reader.int16(),
            baseOffset: reader.bigInt64(),
          };
          reader.int64();
          reader.int64();
          return produced;
        });
      })
      .flat(),
});
