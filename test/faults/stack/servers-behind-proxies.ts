import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from "../../../stack/postgres/embedded-postgres.ts";
import { FaultProxy } from "../../support/fault-proxy.ts";
import { TestBroker } from "../../support/kafka-broker.ts";
import { productionStack } from "../../support/production-stack.ts";
import { startRedis, type RedisServer } from "../../support/redis-server.ts";

/** Servers by the names that tests tell them by. */
export type ServerName = "Kafka" | "Postgres" | "Redis" | "the registry";

/**
 * Kafka, Postgres and Redis of a test's own and the run's registry. What runs under test reaches
 * each through a proxy that may cut it off; the test itself goes around that.
 */
export class ServersBehindProxies implements AsyncDisposable {
  readonly broker: TestBroker;
  readonly redis: RedisServer;
  readonly #folder: string;
  readonly #proxies: ReadonlyMap<ServerName, FaultProxy>;
  readonly #registryUrl: string;
  #postgres: EmbeddedPostgres;

  private constructor(made: {
    readonly broker: TestBroker;
    readonly redis: RedisServer;
    readonly postgres: EmbeddedPostgres;
    readonly folder: string;
    readonly registryUrl: string;
    readonly proxies: ReadonlyMap<ServerName, FaultProxy>;
  }) {
    this.broker = made.broker;
    this.redis = made.redis;
    this.#postgres = made.postgres;
    this.#folder = made.folder;
    this.#registryUrl = made.registryUrl;
    this.#proxies = made.proxies;
  }

  static async start(): Promise<ServersBehindProxies> {
    const { registryUrl } = productionStack();
    const folder = await mkdtemp(join(tmpdir(), "refold-faults-"));
    // Postgres may run under another account.
    await chmod(folder, 0o755);
    const toKafka = await FaultProxy.listen();
    const [broker, redis, postgres] = await Promise.all([
      TestBroker.start({
        listeners: { FAR: "PLAINTEXT" },
        advertised: { FAR: toKafka.address },
      }),
      startRedis(),
      startPostgres(folder),
    ]);
    toKafka.leadTo(broker.addressOf("FAR"));
    const proxies = new Map<ServerName, FaultProxy>([
      ["Kafka", toKafka],
      ["Postgres", await proxyTo(postgres.url)],
      ["Redis", await proxyTo(redis.url)],
      ["the registry", await proxyTo(registryUrl)],
    ]);
    return new ServersBehindProxies({ broker, redis, postgres, folder, registryUrl, proxies });
  }

  /** Around the proxies, by the names of environment variables. */
  get near(): Readonly<Record<string, string>> {
    return {
      CAPTURE: "embedded",
      DATABASE_URL: this.#postgres.url,
      KAFKA_BROKERS: this.broker.address,
      REDIS_URL: this.redis.url,
      SCHEMA_REGISTRY_URL: this.#registryUrl,
    };
  }

  /** Through the proxies. */
  get far(): Readonly<Record<string, string>> {
    const { near } = this;
    return {
      ...near,
      DATABASE_URL: through(near["DATABASE_URL"], this.proxy("Postgres")),
      KAFKA_BROKERS: this.proxy("Kafka").address,
      REDIS_URL: through(near["REDIS_URL"], this.proxy("Redis")),
      SCHEMA_REGISTRY_URL: through(near["SCHEMA_REGISTRY_URL"], this.proxy("the registry")),
    };
  }

  proxy(server: ServerName): FaultProxy {
    const proxy = this.#proxies.get(server);
    if (!proxy) throw new Error(`There is no proxy before ${server}.`);
    return proxy;
  }

  /** A power cut, and the start after it, on the same port. */
  async restartPostgres(): Promise<void> {
    await this.#postgres.stop("immediate");
    this.#postgres = await startPostgres(this.#folder, this.#postgres.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
    await this.broker[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
    await this.#postgres.stop("immediate");
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const startPostgres = (folder: string, port = 0): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres({ folder, port, settings: { max_connections: "200" } });

async function proxyTo(url: string): Promise<FaultProxy> {
  const proxy = await FaultProxy.listen();
  proxy.leadTo(new URL(url).host);
  return proxy;
}

function through(url = "", { address }: FaultProxy): string {
  const [, port = ""] = address.split(":");
  const far = new URL(url);
  far.hostname = "127.0.0.1";
  far.port = port;
  return far.href;
}
