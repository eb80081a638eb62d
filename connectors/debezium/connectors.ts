import { header, headerOrder } from "../../engine/envelope.ts";
import type { ConnectorConfig } from "./connect-client.ts";

/** What the connectors are named after, and what they read. */
export interface DebeziumSource {
  /** First part of every name: connectors, slots, publications, the catalogue's topics. */
  readonly prefix: string;
  /** How the Connect worker reaches the database. */
  readonly databaseUrl: string;
  /** Tables whose changes are captured: `catalogue.modules`. */
  readonly tables: readonly string[];
  /** Tables whose rows are published as records just as they say. */
  readonly outboxTables: readonly string[];
}

/** A connector with the slot and the publication that are its own. */
export interface DebeziumConnector {
  readonly name: string;
  readonly slot: string;
  readonly publication: string;
  readonly tables: readonly string[];
  /** Operations that the publication holds; the rest never reaches the worker. */
  readonly operations: readonly ("insert" | "update" | "delete" | "truncate")[];
  readonly config: ConnectorConfig;
}

/** How often an idle connector's slot is moved on, so that the server can let go of its WAL. */
const heartbeatMs = 5_000;

/** Prefix of the messages that move an idle slot; nothing is published for them. */
const heartbeatMessage = "refold-heartbeat";

/**
 * The event store's connector: rows of the outbox tables through the Outbox Event Router. Value
 * bytes pass as they are, the key is text, the row names topic, partition, recorded time and
 * headers.
 */
export function eventsConnector(source: DebeziumSource): DebeziumConnector {
  const name = `${source.prefix}-events`;
  const slot = `${source.prefix}_events`.replaceAll("-", "_");
  return {
    name,
    slot,
    publication: slot,
    tables: source.outboxTables,
    operations: ["insert"],
    config: {
      ...shared(source, { slot, tables: source.outboxTables }),
      "topic.prefix": name,
      "tombstones.on.delete": "false",
      "key.converter": "org.apache.kafka.connect.storage.StringConverter",
      "header.converter": "org.apache.kafka.connect.storage.StringConverter",
      "value.converter": "io.debezium.converters.BinaryDataConverter",
      // Heartbeats aren't bytes.
      "value.converter.delegate.converter.type": "org.apache.kafka.connect.json.JsonConverter",
      "value.converter.delegate.converter.type.schemas.enable": "false",
      ...outboxRouter,
    },
  };
}

/** The router's own header `id` repeats `ce_id`: it is taken off again. */
const outboxRouter: ConnectorConfig = {
  transforms: "outbox,own",
  "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
  "transforms.outbox.route.by.field": "topic",
  "transforms.outbox.route.topic.replacement": "${routedByValue}",
  "transforms.outbox.table.field.event.id": columnOf(header.id),
  "transforms.outbox.table.field.event.key": "key",
  "transforms.outbox.table.field.event.payload": "value",
  "transforms.outbox.table.field.event.timestamp": "recorded_at",
  "transforms.outbox.table.fields.additional.placement": [
    ...headerOrder.map((name) => `${columnOf(name)}:header:${name}`),
    "partition:partition",
  ].join(","),
  "transforms.outbox.table.op.invalid.behavior": "fatal",
  "transforms.own.type": "org.apache.kafka.connect.transforms.DropHeaders",
  "transforms.own.headers": "id",
};

function columnOf(name: string): string {
  return name.replaceAll("-", "_");
}

/** The catalogue's connector: row changes in Debezium's envelope, in Avro. */
export function catalogueConnector(
  source: DebeziumSource,
  converters: ConnectorConfig,
): DebeziumConnector {
  const slot = `${source.prefix}_catalogue`.replaceAll("-", "_");
  return {
    name: `${source.prefix}-catalogue`,
    slot,
    publication: slot,
    tables: source.tables,
    operations: ["insert", "update", "delete", "truncate"],
    config: {
      ...shared(source, { slot, tables: source.tables }),
      ...converters,
      "topic.prefix": source.prefix,
      // Names each change's place in its transaction: what tells a repetition.
      "provide.transaction.metadata": "true",
      "schema.name.adjustment.mode": "avro",
      "field.name.adjustment.mode": "avro",
    },
  };
}

/** As libpq's URL has them. The files are the worker's, the key in DER (PKCS#8). */
const tlsParameters = ["sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword"];

const tlsOf = ({ searchParams }: URL): ConnectorConfig =>
  Object.fromEntries(
    tlsParameters.flatMap((name) => {
      const value = searchParams.get(name);
      return value === null ? [] : [[`database.${name}`, value]];
    }),
  );

function shared(
  { databaseUrl }: DebeziumSource,
  { slot, tables }: { readonly slot: string; readonly tables: readonly string[] },
): ConnectorConfig {
  const database = new URL(databaseUrl);
  return {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "tasks.max": "1",
    "extended.headers.enabled": "false",
    "plugin.name": "pgoutput",
    // It begins where it is told to, behind rows that are published already, and fails when its slot
    // no longer goes on from where it was. A snapshot of its own would neither tell what is gone nor
    // give the first transaction after it a number.
    "snapshot.mode": "no_data",
    "database.hostname": database.hostname.replaceAll(/[[\]]/g, ""),
    "database.port": database.port || "5432",
    "database.user": decodeURIComponent(database.username),
    "database.password": decodeURIComponent(database.password) || "none",
    "database.dbname": decodeURIComponent(database.pathname.slice(1)),
    ...tlsOf(database),
    "slot.name": slot,
    "publication.name": slot,
    "publication.autocreate.mode": "disabled",
    "table.include.list": tables.map((table) => table.replaceAll(".", "\\.")).join(","),
    // The default of half a second would be most of the time from a command to the browser.
    "poll.interval.ms": "10",
    "heartbeat.interval.ms": String(heartbeatMs),
    "heartbeat.action.query": `select pg_logical_emit_message(false, '${heartbeatMessage}', '')`,
    "message.prefix.exclude.list": heartbeatMessage,
    // Topics that Debezium has for itself (heartbeats, transactions); ours are made by refold.
    "topic.creation.default.replication.factor": "-1",
    "topic.creation.default.partitions": "1",
    "errors.max.retries": "-1",
  };
}
