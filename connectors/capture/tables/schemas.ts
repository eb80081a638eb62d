import type { CodedTable } from "./coded-table.ts";
import { FieldMaker } from "./fields.ts";
import type { NameAdjustment } from "./selection.ts";

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

/** `namespace` is the topic's name as Avro takes it. */
export function tableSchemas(
  namespace: string,
  table: CodedTable,
  names: NameAdjustment,
): TableSchemas {
  const { keyColumns } = table;
  return {
    key: keyColumns.length > 0 ? JSON.stringify(keySchema(namespace, table, names)) : undefined,
    value: JSON.stringify(envelope(namespace, table, names)),
  };
}

function keySchema(namespace: string, table: CodedTable, names: NameAdjustment): object {
  const maker = new FieldMaker(names.fields);
  return {
    type: "record",
    name: "Key",
    namespace,
    fields: table.keyColumns.map((column) => maker.field(column)),
    "connect.name": `${namespace}.Key`,
  };
}

function envelope(namespace: string, table: CodedTable, names: NameAdjustment): object {
  const maker = new FieldMaker(names.fields);
  const value = {
    type: "record",
    name: "Value",
    fields: table.told.map((column) => maker.field(column)),
    "connect.name": `${namespace}.Value`,
  };
  return {
    type: "record",
    name: "Envelope",
    namespace,
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
    "connect.name": `${namespace}.Envelope`,
  };
}
