import { changeEnvelope } from "../../connectors/registry/index.ts";
import type { AnyEventType, ChangeTopic, EventTopic } from "../../engine/topic.ts";
import type { Contracts, Json } from "./contracts.ts";
import { envelopeHeaders } from "./headers.ts";
import { operationsOf } from "./operations.ts";

const bindingVersion = "0.5.0";
const avroFormat = "application/vnd.apache.avro+json;version=1.9.0";

/**
 * The definitions as an AsyncAPI document (https://www.asyncapi.com/docs/reference/specification/v3.0.0):
 * a channel for each topic, a message for each event type, and for each processor and projection
 * what it receives. Payloads are the Avro schemas, headers the events' envelope.
 */
export function asyncApiOf(contracts: Contracts, version: string): Json {
  const { eventTopics, changeTopics } = contracts;
  const channels = [...eventTopics.map(eventChannel), ...changeTopics.map(changeChannel)];
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Refold: module registration",
      version,
      description: [
        "Events are published from the event store, row changes from the write-ahead log.",
        "Values are Avro in the Confluent wire format: a zero byte, the id of the writer's schema",
        "in the registry (4 bytes, big endian), the Avro bytes. The partition of a record is",
        "murmur2 of its key, as Kafka's default partitioner has it.",
      ].join(" "),
      license: { name: "Apache-2.0" },
    },
    defaultContentType: "application/avro",
    channels: Object.fromEntries(channels),
    operations: operationsOf(contracts),
    components: { messageTraits: { envelope: { headers: envelopeHeaders } } },
  };
}

type Channel = readonly [name: string, channel: Json];

const eventChannel = (topic: EventTopic): Channel => [
  topic.name,
  {
    address: topic.name,
    "x-key": topic.key,
    messages: Object.fromEntries(
      topic.events.map((type) => [type.name, eventMessage(topic, type)]),
    ),
    bindings: kafkaTopic(topic, {
      "cleanup.policy": ["delete"],
      "retention.ms": topic.retentionMs ?? -1,
    }),
  },
];

const eventMessage = (topic: EventTopic, { name, fullName, schema }: AnyEventType): Json => ({
  name: fullName,
  title: name,
  ...documented(schema),
  contentType: "application/avro",
  traits: [{ $ref: "#/components/messageTraits/envelope" }],
  payload: { schemaFormat: avroFormat, schema },
  bindings: kafkaMessage({ type: "string", description: `UTF-8: the event's ${topic.key}.` }),
});

const changeChannel = (topic: ChangeTopic): Channel => [
  topic.name,
  {
    address: topic.name,
    description: `Row changes of the table ${topic.table}, in Debezium's envelope.`,
    "x-key": topic.key.fields.map(({ name }) => name).join(", "),
    messages: { change: changeMessage(topic), tombstone: tombstone(topic) },
    bindings: kafkaTopic(topic, { "retention.ms": -1 }),
  },
];

const changeMessage = (topic: ChangeTopic): Json => ({
  name: `${topic.name}.Envelope`,
  title: "Change",
  summary: "What is read of the envelope; the record has more fields.",
  contentType: "application/avro",
  payload: { schemaFormat: avroFormat, schema: changeEnvelope(topic.row) },
  bindings: kafkaMessage(keyOf(topic)),
});

const tombstone = (topic: ChangeTopic): Json => ({
  name: `${topic.name}.Tombstone`,
  title: "Tombstone",
  summary: "A null value after a delete, for compaction.",
  payload: { type: "null" },
  bindings: kafkaMessage(keyOf(topic)),
});

/** Keys of tables are Avro; a binding tells keys as JSON schemas. */
const keyOf = ({ key }: ChangeTopic): Json => ({
  type: "object",
  description: "Avro in the Confluent wire format: the columns of the primary key.",
  properties: Object.fromEntries(key.fields.map(({ name }) => [name, {}])),
  required: key.fields.map(({ name }) => name),
});

const kafkaTopic = (
  { name, partitions }: { readonly name: string; readonly partitions: number },
  topicConfiguration: Json,
): Json => ({ kafka: { topic: name, partitions, topicConfiguration, bindingVersion } });

const kafkaMessage = (key: Json): Json => ({
  kafka: {
    key,
    schemaIdLocation: "payload",
    schemaIdPayloadEncoding: "confluent",
    bindingVersion,
  },
});

const documented = (schema: object): Json =>
  "doc" in schema && typeof schema.doc === "string" ? { summary: schema.doc } : {};
