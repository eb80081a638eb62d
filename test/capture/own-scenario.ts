import type { RecordedEvent, RecordedValue, Scenario } from "./recorded-scenario.ts";

const name = "own_rooms";
const table = `${name}.public.rooms`;

const nullable = (field: string, type: string): object => ({
  name: field,
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

const source = {
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
    nullable("sequence", "string"),
    nullable("ts_us", "long"),
    nullable("ts_ns", "long"),
    { name: "schema", type: "string" },
    { name: "table", type: "string" },
    nullable("txId", "long"),
    nullable("lsn", "long"),
    nullable("xmin", "long"),
    nullable("origin", "string"),
    nullable("origin_lsn", "long"),
  ],
  "connect.version": 1,
  "connect.name": "io.debezium.connector.postgresql.Source",
};

const transaction = {
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

const row = {
  type: "record",
  name: "Value",
  fields: [
    { name: "code", type: "string" },
    { name: "seats", type: "int" },
    nullable("note", "string"),
  ],
  "connect.name": `${table}.Value`,
};

const key = {
  type: "record",
  name: "Key",
  namespace: table,
  fields: [{ name: "code", type: "string" }],
  "connect.name": `${table}.Key`,
};

const envelope = {
  type: "record",
  name: "Envelope",
  namespace: table,
  fields: [
    { name: "before", type: ["null", row], default: null },
    { name: "after", type: ["null", "Value"], default: null },
    { name: "source", type: source },
    { name: "transaction", type: ["null", transaction], default: null },
    { name: "op", type: "string" },
    nullable("ts_ms", "long"),
    nullable("ts_us", "long"),
    nullable("ts_ns", "long"),
  ],
  "connect.version": 2,
  "connect.name": `${table}.Envelope`,
};

interface Change {
  readonly op: string;
  readonly code: string;
  readonly before?: object;
  readonly after?: object;
  /** Order within the transaction; 0 for a snapshot's row. */
  readonly order: number;
  readonly snapshot?: string;
  /** No transaction that was streamed came before its own. */
  readonly first?: boolean;
}

function told(change: Change): RecordedEvent {
  const { op, code, before = null, after = null, order, snapshot = "false", first } = change;
  const value: RecordedValue = {
    op,
    before,
    after,
    source: {
      connector: "postgresql",
      name,
      snapshot,
      sequence: `[${first ? "null" : '"1"'},"9"]`,
      schema: "public",
      table: "rooms",
      txId: 7,
      lsn: 9,
      xmin: null,
      origin: null,
      origin_lsn: null,
    },
    transaction:
      order === 0 ? null : { id: "7:9", total_order: order, data_collection_order: order },
  };
  return { topic: table, key: { code }, value, keySchema: 1, valueSchema: 2 };
}

const tombstone = (code: string): RecordedEvent => ({
  topic: table,
  key: { code },
  value: null,
  keySchema: 1,
});

/** Only the key's columns are known of a deleted row; the others have their type's empty value. */
const gone = (code: string): object => ({ code, seats: 0, note: null });

/**
 * A scenario in the form of the recordings, written down from Debezium's documented behaviour: a
 * snapshot row, a multi-row insert, an update, a change of key (delete, tombstone, create) and a
 * delete, in transactions.
 */
export const ownScenario: Scenario = {
  name,
  ddl: [
    "create table rooms (code text primary key, seats int not null, note text)",
    "insert into rooms values ('A', 10, 'old')",
  ],
  dml: [
    ["insert into rooms values ('B', 20, null), ('C', 30, 'über')"],
    [
      "begin",
      "update rooms set seats = 25 where code = 'B'",
      "delete from rooms where code = 'C'",
      "commit",
    ],
    ["update rooms set code = 'D' where code = 'B'"],
  ],
  schemas: { 1: key, 2: envelope },
  events: [
    told({
      op: "r",
      code: "A",
      after: { code: "A", seats: 10, note: "old" },
      order: 0,
      snapshot: "last",
      first: true,
    }),
    told({
      op: "c",
      code: "B",
      after: { code: "B", seats: 20, note: null },
      order: 1,
      first: true,
    }),
    told({
      op: "c",
      code: "C",
      after: { code: "C", seats: 30, note: "über" },
      order: 2,
      first: true,
    }),
    told({ op: "u", code: "B", after: { code: "B", seats: 25, note: null }, order: 1 }),
    told({ op: "d", code: "C", before: gone("C"), order: 2 }),
    tombstone("C"),
    told({ op: "d", code: "B", before: gone("B"), order: 1 }),
    tombstone("B"),
    told({ op: "c", code: "D", after: { code: "D", seats: 25, note: null }, order: 2 }),
  ],
};
