import type { KafkaRequest } from "../wire/request.ts";

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  /** -1: as the cluster does by default. */
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface CreatedTopic {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export const createTopic = (topic: NewTopic): KafkaRequest<CreatedTopic> => ({
  name: "CreateTopics",
  apiKey: 19,
  apiVersion: 4,
  flexible: false,
  encode: (writer) => {
    writer
      .array([topic], (to, { name, partitions, replicationFactor, configs }) =>
        to
          .string(name)
          .int32(partitions)
          .int16(replicationFactor)
          .array([], () => undefined)
          .array(Object.entries(configs), (each, [key, value]) => each.string(key).string(value)),
      )
      .int32(topic.timeoutMs)
      .boolean(false);
  },
  decode: (reader) => {
    reader.int32();
    const created = reader.array(() => {
      reader.string();
      return { errorCode: reader.int16(), errorMessage: reader.nullableString() };
    });
    return created[0] ?? { errorCode: -1, errorMessage: "no answer for the topic" };
  },
});
