import type { KafkaRequest } from "../wire/request.ts";
import type { WireReader } from "../wire/wire-reader.ts";

export interface TopicConfig {
  readonly topic: string;
  readonly errorCode: number;
  readonly values: ReadonlyMap<string, string | null>;
}

const topicResource = 2;

/** Some settings of some topics, as they are in force. */
export const describeConfigs = (
  topics: readonly string[],
  names: readonly string[],
): KafkaRequest<TopicConfig[]> => ({
  name: "DescribeConfigs",
  apiKey: 32,
  apiVersion: 1,
  flexible: false,
  encode: (writer) => {
    writer
      .array(topics, (to, topic) =>
        to
          .int8(topicResource)
          .string(topic)
          .array(names, (each, name) => each.string(name)),
      )
      .boolean(false);
  },
  decode: (reader) => {
    reader.int32();
    return reader.array(readResource);
  },
});

function readResource(reader: WireReader): TopicConfig {
  const errorCode = reader.int16();
  reader.nullableString();
  reader.int8();
  const topic = reader.string();
  return { topic, errorCode, values: new Map(reader.array(readConfig)) };
}

function readConfig(reader: WireReader): [string, string | null] {
  const config: [string, string | null] = [reader.string(), reader.nullableString()];
  for (let byte = 0; byte < 3; byte += 1) reader.int8();
  reader.array(() => [reader.string(), reader.nullableString(), reader.int8()]);
  return config;
}
