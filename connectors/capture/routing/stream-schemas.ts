import type { AvroType, AvroTypeObject } from "../types/converter.ts";
import { sourceSchema, transactionSchema } from "../tables/schemas.ts";

/** Avro schemas of the stream's own topics; names, attributes and their order are Debezium's. */
const common = "io.debezium.connector.common";
const postgresql = "io.debezium.connector.postgresql";

interface Field {
  readonly name: string;
  readonly type: AvroType;
  readonly default?: null;
}

function record(namespace: string, name: string, fields: readonly Field[]): AvroTypeObject {
  return {
    type: "record",
    name,
    namespace,
    fields,
    "connect.version": 1,
    "connect.name": `${namespace}.${name}`,
  };
}

/** A record within one of the same namespace, which Avro's text tells once. */
function nested(schema: AvroTypeObject): AvroTypeObject {
  const { type, ...attributes } = schema;
  const told = Object.entries(attributes).filter(([name]) => name !== "namespace");
  return { type, ...Object.fromEntries(told) };
}

const optional = (name: string, type: AvroType): Field => ({
  name,
  type: ["null", type],
  default: null,
});

const text = (schema: object): string => JSON.stringify(schema);

export const transactionKeySchema = text(
  record(common, "TransactionMetadataKey", [{ name: "id", type: "string" }]),
);

const collection = record("event", "collection", [
  { name: "data_collection", type: "string" },
  { name: "event_count", type: "long" },
]);

export const transactionValueSchema = text(
  record(common, "TransactionMetadataValue", [
    { name: "status", type: "string" },
    { name: "id", type: "string" },
    optional("event_count", "long"),
    optional("data_collections", { type: "array", items: ["null", collection] }),
    { name: "ts_ms", type: "long" },
  ]),
);

export const heartbeatKeySchema = text(
  record(common, "ServerNameKey", [{ name: "serverName", type: "string" }]),
);

export const heartbeatValueSchema = text(
  record(common, "Heartbeat", [{ name: "ts_ms", type: "long" }]),
);

export const messageKeySchema = text(
  record(postgresql, "MessageKey", [optional("prefix", "string")]),
);

/** @param content How bytes are told: `bytes`, or `string`. */
export function messageValueSchema(content: "bytes" | "string"): string {
  const message = record(postgresql, "Message", [
    optional("prefix", "string"),
    optional("content", content),
  ]);
  return text(
    record(postgresql, "MessageValue", [
      { name: "op", type: "string" },
      optional("ts_ms", "long"),
      { name: "source", type: nested(sourceSchema) },
      optional("transaction", transactionSchema),
      { name: "message", type: nested(message) },
    ]),
  );
}
