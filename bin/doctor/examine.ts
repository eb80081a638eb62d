import type { Pool } from "pg";

import { ConnectClient } from "../../connectors/debezium/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { Servers } from "../servers.ts";
import { StopInTurn } from "../stop-in-turn.ts";
import type { Definitions } from "../system/definitions.ts";
import { openLog } from "../system/record-log.ts";
import { openRegistry } from "../system/registry.ts";
import { lookAtConnect } from "./connect.ts";
import { examined, type Finding } from "./finding.ts";
import { lookAtTopics } from "./kafka.ts";
import { lookAtPostgres } from "./postgres.ts";
import { lookAtRedis } from "./redis.ts";
import { lookAtRegistry } from "./registry.ts";

export interface ExaminedSystem {
  readonly pool: Pool;
  readonly url: string;
  readonly servers: Servers;
  readonly definitions: Definitions;
  readonly report: (message: string) => void;
}

/** Looks at every server that the settings name; changes nothing. */
export async function examine(system: ExaminedSystem): Promise<readonly Finding[]> {
  const { pool, url, servers, definitions, report } = system;
  const { capture, connectUrl, redisUrl, redisTls, fromConnect } = servers;
  const registryUrl = fromConnect.registryUrl ?? servers.registryUrl;
  const { registry } = openRegistry(servers, pool);
  await using stop = new StopInTurn(report);
  const { log } = await openLog({ servers, pool, url, metrics: noMetrics, stop });
  const client = connectUrl === undefined ? undefined : new ConnectClient({ url: connectUrl });
  const found = await Promise.all([
    examined("postgres", {
      fix: "Check DATABASE_URL, and that the server runs.",
      look: (postgres) => lookAtPostgres(postgres, { pool, capture, definitions }),
    }),
    examined(servers.kafka === undefined ? "log" : "kafka", {
      fix: "Check KAFKA_BROKERS and its credentials, and that the brokers run.",
      look: (kafka) => lookAtTopics(kafka, { log, definitions }),
    }),
    examined("registry", {
      fix: "Check SCHEMA_REGISTRY_URL, and that the registry runs.",
      look: (one) => lookAtRegistry(one, { pool, registry, definitions }),
    }),
    ...(client === undefined || capture === "embedded"
      ? []
      : [
          examined("connect", {
            fix: "Check CONNECT_URL, and that a worker runs.",
            look: (connect) =>
              lookAtConnect(connect, {
                client,
                pool,
                definitions,
                databaseUrl: fromConnect.databaseUrl ?? url,
                registryUrl,
              }),
          }),
        ]),
    ...(redisUrl === undefined
      ? []
      : [
          examined("redis", {
            fix: "Check REDIS_URL, and that the server runs.",
            look: (redis) => lookAtRedis(redis, { url: redisUrl, tls: redisTls }),
          }),
        ]),
  ]);
  return found.flat();
}
