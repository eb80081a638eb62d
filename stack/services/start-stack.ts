import { chmod, mkdir } from "node:fs/promises";

import { startConnect } from "./connect.ts";
import { startKafka } from "./kafka.ts";
import { startPostgres } from "./postgres.ts";
import { startRedis } from "./redis.ts";
import { confluentPath, startRegistry } from "./registry.ts";
import type { Service, ServiceFolders } from "./service.ts";

export interface StackOptions extends ServiceFolders {
  /** Folder of an installed Postgres' programs, in place of the one from npm. */
  readonly postgresBinaries?: string;
  readonly timeZone?: string;
}

export interface Stack extends AsyncDisposable {
  readonly services: readonly Service[];
  /** Where they are, by the names of the environment variables that tell it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Stops them, the last started first. */
  stop(): Promise<void>;
}

/**
 * Starts Kafka, Connect with Debezium, a schema registry, Redis and Postgres on free ports of loopback.
 *
 * @throws ServiceError when one can't be fetched or doesn't start; the others are stopped.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  await mkdir(options.cache, { recursive: true });
  await mkdir(options.data, { recursive: true });
  // Postgres may have to run under another account.
  await chmod(options.data, 0o755);
  const services: Service[] = [];
  const stop = async (): Promise<void> => {
    for (const service of services.splice(0).toReversed()) await service.stop();
  };
  const started = async (service: Promise<Service>): Promise<Service> => {
    const ready = await service;
    services.push(ready);
    return ready;
  };
  try {
    const { postgresBinaries: binaries, timeZone = "UTC" } = options;
    const postgres = startPostgres({
      folders: options,
      timeZone,
      ...(binaries === undefined ? {} : { binaries }),
    });
    const environment = {
      DATABASE_URL: (await started(postgres)).url,
      REDIS_URL: (await started(startRedis(options))).url,
      ...(await startKafkaAndConnect(options, started)),
      SCHEMA_REGISTRY_URL: `${(await started(startRegistry(options))).url}${confluentPath}`,
    };
    return { services, environment, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startKafkaAndConnect(
  folders: ServiceFolders,
  started: (service: Promise<Service>) => Promise<Service>,
): Promise<Record<string, string>> {
  const kafka = await started(startKafka(folders));
  const connect = await started(startConnect(folders, kafka));
  return { KAFKA_BROKERS: kafka.url, CONNECT_URL: connect.url };
}
