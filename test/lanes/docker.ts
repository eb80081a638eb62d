import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { DockerComposeEnvironment, Wait } from "testcontainers";

import { projectRoot } from "../support/source-tree.ts";
import type { Missing, Servers } from "./servers.ts";

const run = promisify(execFile);

/** Services of the compose file that tests share, each ready when its health check says so. */
const services = ["kafka", "connect", "registry"] as const;

/** The compose file's own servers, started by testcontainers. */
export async function dockerServers(): Promise<Servers | Missing> {
  try {
    await run("docker", ["info"], { timeout: 10_000 });
  } catch {
    return { reason: "no Docker engine answers to docker info" };
  }
  let compose = new DockerComposeEnvironment(join(projectRoot, "stack"), "compose.yaml");
  for (const service of services) {
    compose = compose.withWaitStrategy(`${service}-1`, Wait.forHealthCheck());
  }
  const started = await compose.up([...services]);
  return {
    from: "Docker",
    environment: {
      KAFKA_BROKERS: "127.0.0.1:9092",
      CONNECT_URL: "http://127.0.0.1:8083",
      SCHEMA_REGISTRY_URL: "http://127.0.0.1:8081/apis/ccompat/v7",
    },
    stop: async () => {
      await started.down({ removeVolumes: true });
    },
  };
}
