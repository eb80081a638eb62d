import { recordingInterceptor } from "../../../stack/services/index.ts";
import type { Scenario } from "../scenario.ts";

export interface ConnectorSurroundings {
  /** The scenario's database. */
  readonly databaseUrl: string;
  /** The registry's Confluent-compatible routes. */
  readonly registryUrl: string;
  /** Where the records are written down. */
  readonly recordingPath: string;
}

const own = (name: string): Record<string, string> => ({
  "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
  "tasks.max": "1",
  "database.dbname": name,
  "topic.prefix": name,
  "slot.name": name,
  "publication.name": name,
  "plugin.name": "pgoutput",
});

/** The configuration that is recorded: the scenario's, with what is named after the scenario. */
export function recordedConfig(scenario: Scenario): Record<string, string> {
  const named = own(scenario.name);
  const missing = Object.entries(named).filter(([option]) => !(option in scenario.config));
  return { ...Object.fromEntries(missing), ...scenario.config };
}

/** The configuration as Connect takes it, with connections, converters and the recording. */
export function connectorConfig(
  config: Readonly<Record<string, string>>,
  { databaseUrl, registryUrl, recordingPath }: ConnectorSurroundings,
): Record<string, string> {
  const database = new URL(databaseUrl);
  return {
    "poll.interval.ms": "10",
    "topic.creation.default.replication.factor": "1",
    "topic.creation.default.partitions": "1",
    // A failure is to be seen, not tried again.
    "errors.max.retries": "0",
    ...converterConfig(config, registryUrl),
    ...config,
    "database.hostname": database.hostname,
    "database.port": database.port,
    "database.user": decodeURIComponent(database.username),
    "database.password": decodeURIComponent(database.password) || "none",
    "producer.override.interceptor.classes": recordingInterceptor,
    "producer.override.recording.file": recordingPath,
  };
}

function converterConfig(
  config: Readonly<Record<string, string>>,
  registryUrl: string,
): Record<string, string> {
  const avro = {
    "": "io.apicurio.registry.utils.converter.AvroConverter",
    ".apicurio.registry.url": new URL("/apis/registry/v2", registryUrl).href,
    ".apicurio.registry.as-confluent": "true",
    ".apicurio.registry.use-id": "contentId",
    ".apicurio.registry.headers.enabled": "false",
    ".apicurio.registry.auto-register": "true",
    ".apicurio.registry.find-latest": "false",
  };
  const sides = ["key.converter", "value.converter"].filter((side) => !(side in config));
  return Object.fromEntries(
    sides.flatMap((side) => Object.entries(avro).map(([end, value]) => [side + end, value])),
  );
}
