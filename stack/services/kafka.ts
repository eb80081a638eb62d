import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { runCommand } from "./commands.ts";
import { findJava } from "./java.ts";
import { fetchLibraries } from "./maven.ts";
import { freePort, isListening, startServer } from "./process.ts";
import { loggingProperties, writeProperties } from "./properties.ts";
import type { Service, ServiceFolders } from "./service.ts";

const javaMajorMin = 17;

/** The broker's programs and Connect's; `kafka-tools` brings the Connect runtime. */
export function kafkaLibraries(cache: string): Promise<string> {
  return fetchLibraries(cache, {
    name: "kafka-4.3.1",
    libraries: [
      "org.apache.kafka:kafka_2.13:4.3.1",
      "org.apache.kafka:kafka-tools:4.3.1",
      "org.apache.logging.log4j:log4j-slf4j-impl:2.25.1",
      "org.apache.logging.log4j:log4j-core:2.25.1",
    ],
  });
}

/** One node that is broker and controller, on loopback; its URL is `host:port`. */
export async function startKafka(folders: ServiceFolders): Promise<Service> {
  const [{ java }, libraries] = await Promise.all([
    findJava(javaMajorMin),
    kafkaLibraries(folders.cache),
  ]);
  const folder = join(folders.data, "kafka");
  await mkdir(folder, { recursive: true });
  const [port, controllerPort] = [await freePort(), await freePort()];
  const properties = join(folder, "server.properties");
  await writeProperties(properties, brokerProperties({ folder, port, controllerPort }));
  const logging = join(folder, "log4j2.properties");
  await writeProperties(logging, loggingProperties);
  const classpath = ["-cp", join(libraries, "*")];
  const id = randomBytes(16).toString("base64url");
  await runCommand({
    program: java,
    args: [
      ...classpath,
      "kafka.tools.StorageTool",
      "format",
      `--cluster-id=${id}`,
      "-c",
      properties,
    ],
    remedy: `Empty the folder ${folder} and start again.`,
  });
  const memory = ["-Xmx512m", `-Dlog4j2.configurationFile=${logging}`];
  return startServer({
    name: "kafka",
    url: `127.0.0.1:${port}`,
    command: java,
    args: [...memory, ...classpath, "kafka.Kafka", properties],
    folder,
    isReady: () => isListening(port),
    startTimeoutMs: 60_000,
  });
}

interface Broker {
  readonly folder: string;
  readonly port: number;
  readonly controllerPort: number;
}

function brokerProperties(broker: Broker): Record<string, string | number> {
  const { folder, port, controllerPort } = broker;
  return {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": join(folder, "log"),
    // One node can't replicate, and many offset partitions make a group's first join slow.
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "auto.create.topics.enable": "false",
    // Records with old timestamps would be deleted otherwise.
    "log.retention.hours": -1,
  };
}
