import { existsSync } from "node:fs";
import { cp, mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";

import { runCommand } from "./commands.ts";
import { findJava, type Java } from "./java.ts";
import { kafkaLibraries } from "./kafka.ts";
import { fetchArchive, fetchLibraries } from "./maven.ts";
import { freePort, isAnswering, startServer } from "./process.ts";
import { loggingProperties, writeProperties } from "./properties.ts";
import type { Service, ServiceFolders } from "./service.ts";

const javaMajorMin = 17;
const debezium = "io.debezium:debezium-connector-postgres:3.6.3.Final";
const converter = "io.apicurio:apicurio-registry-utils-converter:2.6.13.Final";

/** The worker has these itself, or they are for compression in native code. */
const withoutLibraries = [
  "connect-api",
  "connect-json",
  "kafka-clients",
  "slf4j-api",
  "lz4-java",
  "snappy-java",
  "zstd-jni",
];

const interceptor = join(import.meta.dirname, "recorder", "RecordingInterceptor.java");

/** The producer option of this name makes a connector's records be written down in order. */
export const recordingInterceptor = "RecordingInterceptor";

/** A Connect worker with Debezium's Postgres connector and an Avro converter. */
export async function startConnect(folders: ServiceFolders, kafka: Service): Promise<Service> {
  const java = await findJava(javaMajorMin);
  const libraries = await kafkaLibraries(folders.cache);
  const folder = join(folders.data, "connect");
  const plugins = join(folder, "plugins");
  const classes = join(folder, "classes");
  await mkdir(plugins, { recursive: true });
  await linkPlugins(folders.cache, plugins);
  await compileInterceptor(java, libraries, classes);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const properties = join(folder, "worker.properties");
  await writeProperties(properties, workerProperties({ brokers: kafka.url, url, plugins }));
  const logging = join(folder, "log4j2.properties");
  await writeProperties(logging, loggingProperties);
  const memory = ["-Xmx768m", `-Dlog4j2.configurationFile=${logging}`];
  const classpath = ["-cp", `${join(libraries, "*")}:${classes}`];
  const program = "org.apache.kafka.connect.cli.ConnectDistributed";
  return startServer({
    name: "connect",
    url,
    command: java.java,
    args: [...memory, ...classpath, program, properties],
    folder,
    // The worker answers this only after it has joined its group and read its topics.
    isReady: () => isAnswering(`${url}/connectors`),
    startTimeoutMs: 120_000,
  });
}

async function linkPlugins(cache: string, plugins: string): Promise<void> {
  const archive = await fetchArchive(cache, debezium, "plugin");
  const converters = await fetchLibraries(cache, {
    name: "apicurio-converter-2.6.13",
    libraries: [converter],
    without: withoutLibraries,
  });
  for (const name of await readdir(archive)) {
    if (!existsSync(join(plugins, name))) await symlink(join(archive, name), join(plugins, name));
  }
  // A connector finds converters in other plugins' folders, so that they are fetched once.
  if (!existsSync(join(plugins, "avro"))) await cp(converters, join(plugins, "avro"), copied);
}

const copied = { recursive: true };

async function compileInterceptor(java: Java, libraries: string, classes: string): Promise<void> {
  await runCommand({
    program: java.javac,
    args: ["--release", "17", "-cp", join(libraries, "*"), "-d", classes, interceptor],
    remedy: "A whole JDK is needed (with javac), not only a Java runtime.",
  });
}

interface Worker {
  readonly brokers: string;
  readonly url: string;
  readonly plugins: string;
}

function workerProperties({ brokers, url, plugins }: Worker): Record<string, string | number> {
  const json = "org.apache.kafka.connect.json.JsonConverter";
  return {
    "bootstrap.servers": brokers,
    "group.id": "connect",
    listeners: url,
    "plugin.path": plugins,
    "plugin.discovery": "only_scan",
    "key.converter": json,
    "value.converter": json,
    "config.storage.topic": "connect-configs",
    "config.storage.replication.factor": 1,
    "offset.storage.topic": "connect-offsets",
    "offset.storage.replication.factor": 1,
    "offset.storage.partitions": 1,
    "offset.flush.interval.ms": 500,
    "status.storage.topic": "connect-status",
    "status.storage.replication.factor": 1,
    "status.storage.partitions": 1,
    "scheduled.rebalance.max.delay.ms": 0,
    "connector.client.config.override.policy": "All",
  };
}
