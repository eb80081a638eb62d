import type { CaptureOptions } from "../options.ts";
import { ConfigReader, type ConnectorConfig } from "./config-reader.ts";
import { eventRouterOf } from "./outbox.ts";
import { columnsOf, namesOf, publicationModeOf, tablesOf } from "./selection.ts";
import { signalsOf, snapshotOf } from "./snapshot.ts";
import { streamOf } from "./stream.ts";
import { valuesOf } from "./values.ts";

export type { ConnectorConfig } from "./config-reader.ts";

/** What a connector's configuration says of a capture; the caller adds connections and limits. */
export type ConfiguredCapture = Pick<
  CaptureOptions,
  | "tables"
  | "outboxTables"
  | "selection"
  | "columns"
  | "names"
  | "values"
  | "stream"
  | "snapshot"
  | "signals"
  | "publicationMode"
  | "eventRouter"
  | "prefix"
  | "slot"
  | "publication"
  | "connectorName"
>;

/**
 * Reads the configuration of Debezium's Postgres connector, with its defaults
 * (https://debezium.io/documentation/reference/stable/connectors/postgresql.html), so that it can
 * be used as it is.
 *
 * @param partitions Of each topic.
 * @throws FatalError `config-unsupported` naming every option and value that isn't supported.
 */
export function captureConfigOf(config: ConnectorConfig, partitions = 1): ConfiguredCapture {
  const reader = new ConfigReader(config);
  const prefix = reader.textOr("topic.prefix", "refold");
  const signals = signalsOf(reader);
  const eventRouter = eventRouterOf(reader);
  reader.oneOf("plugin.name", ["pgoutput"], "pgoutput");
  for (const [name, value] of Object.entries(onlyDefaults)) reader.oneOf(name, [value], value);
  reader.ignore(...withoutEffect, ...reader.namesWith("topic.creation."));
  reader.ignore(...reader.namesWith("database."));
  const configured: ConfiguredCapture = {
    tables: [],
    outboxTables: [],
    selection: tablesOf(reader, partitions),
    columns: columnsOf(reader),
    names: namesOf(reader),
    values: valuesOf(reader),
    stream: streamOf(reader, partitions),
    snapshot: snapshotOf(reader),
    publicationMode: publicationModeOf(reader),
    prefix,
    slot: reader.textOr("slot.name", "debezium"),
    publication: reader.textOr("publication.name", "dbz_publication"),
    connectorName: reader.textOr("name", prefix),
    ...(signals ? { signals } : {}),
    ...(eventRouter ? { eventRouter } : {}),
  };
  reader.finish();
  return configured;
}

/** Options that are supported with their default alone. */
const onlyDefaults: Readonly<Record<string, string>> = {
  "errors.tolerance": "none",
  "event.processing.failure.handling.mode": "fail",
  "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
  "slot.failover": "false",
  "topic.naming.strategy": "io.debezium.schema.SchemaTopicNamingStrategy",
  "xmin.fetch.interval.ms": "0",
};

/** Options on how the connector does its work, which don't show in what it writes. */
const withoutEffect = [
  "connector.class",
  "tasks.max",
  "poll.interval.ms",
  "max.batch.size",
  "max.queue.size",
  "max.queue.size.in.bytes",
  "status.update.interval.ms",
  "snapshot.fetch.size",
  "snapshot.max.threads",
  "snapshot.locking.mode",
  "snapshot.lock.timeout.ms",
  "snapshot.isolation.mode",
  "snapshot.delay.ms",
  "signal.poll.interval.ms",
  "slot.max.retries",
  "slot.retry.delay.ms",
  "slot.drop.on.stop",
  "errors.max.retries",
  "retriable.restart.connector.wait.ms",
  "tcpKeepAlive",
  "connection.validation.timeout.ms",
  "lsn.flush.mode",
  "lsn.flush.timeout.ms",
  "lsn.flush.timeout.action",
  "errors.log.enable",
  "errors.log.include.messages",
  "config.action.reload",
  "custom.metric.tags",
  "topic.cache.size",
  "flush.lsn.source",
];
