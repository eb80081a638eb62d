import { fieldOf, type CodedTable } from "./table-codec.ts";

/** Avro schemas of a table's topic, as text; the envelope's attributes and order are Debezium's. */
export interface TableSchemas {
  /** undefined: the table has no primary key, and its records no key. */
  readonly key: string | undefined;
  readonly value: string;
}

const optional = (name: string, type: string): object => ({
  name,
  type: ["null", type],
  default: null,
});

const snapshotType = {
  type: "string",
  "connect.version": 1,
  "connect.parameters": {
    allowed: "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental",
  },
  "connect.default": "false",
  "connect.name": "io.debezium.data.Enum",
};

export const sourceSchema = {
  type: "record",
  name: "Source",
  namespace: "io.debezium.connector.postgresql",
  fields: [
    { name: "version", type: "string" },
    { name: "connector", type: "string" },
    { name: "name", type: "string" },
    { name: "ts_ms", type: "long" },
    { name: "snapshot", type: [snapshotType, "null"], default: "false" },
    { name: "db", type: "string" },
    optional("sequence", "string"),
    optional("ts_us", "long"),
    optional("ts_ns", "long"),
    { name: "schema", type: "string" },
    { name: "table", type: "string" },
    optional("txId", "long"),
    optional("lsn", "long"),
    optional("xmin", "long"),
    optional("origin", "string"),
    optional("origin_lsn", "long"),
  ],
  "connect.version": 1,
  "connect.name": "io.debezium.connector.postgresql.Source",
};

export const transactionSchema = {
  type: "record",
  name: "block",
  namespace: "event",
  fields: [
    { name: "id", type: "string" },
    { name: "total_order", type: "long" },
    { name: "data_collection_order", type: "long" },
  ],
  "connect.version": 1,
  "connect.name": "event.block",
};

/** `topic` is also the namespace of the table's records. */
export function tableSchemas(topic: string, table: CodedTable): TableSchemas {
  return {
    key: table.key.length > 0 ? JSON.stringify(keySchema(topic, table)) : undefined,
    value: JSON.stringify(envelope(topic, table)),
  };
}

function keySchema(topic: string, table: CodedTable): object {
  const seen = new Set<string>();
  const columns = table.key.flatMap((at) => table.columns[at] ?? []);
  return {
    type: "record",
    name: "Key",
    namespace: topic,
    fields: columns.map((column) => fieldOf(column, seen)),
    "connect.name": `${topic}.Key`,
  };
}

function envelope(topic: string, table: CodedTable): object {
  const seen = new Set<string>();
  const value = {
    type: "record",
    name: "Value",
    fields: table.columns.map((column) => fieldOf(column, seen)),
    "connect.name": `${topic}.Value`,
  };
  return {
    type: "record",
    name: "Envelope",
    namespace: topic,
    fields: [
      { name: "before", type: ["null", value], default: null },
      { name: "after", type: ["null", "Value"], default: null },
      { name: "source", type: sourceSchema },
      { name: "transaction", type: ["null", transactionSchema], default: null },
      { name: "op", type: "string" },
      optional("ts_ms", "long"),
      optional("ts_us", "long"),
      optional("ts_ns", "long"),
    ],
    "connect.version": 2,
    "connect.name": `${topic}.Envelope`,
  };
}
