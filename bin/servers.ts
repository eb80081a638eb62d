import { CommandFailure } from "./command-failure.ts";
import { type ClientTls, clientTlsIn } from "./tls/client-tls.ts";

/** Settings by name, as the environment has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How a Kafka cluster is reached. */
export interface KafkaAccess {
  /** `host:port` of some of its brokers. */
  readonly brokers: readonly string[];
  /** Left out: no TLS. */
  readonly tls?: ClientTls;
  readonly sasl?: {
    readonly mechanism: SaslMechanism;
    readonly username: string;
    readonly password: string;
  };
}

export const saslMechanisms = ["plain", "scram-sha-256", "scram-sha-512"] as const;
export type SaslMechanism = (typeof saslMechanisms)[number];

/** Who reads the write-ahead log: this code, or connectors on Kafka Connect. */
export type CaptureKind = "embedded" | "debezium";

/** The servers of production; each that isn't named has its embedded counterpart in Postgres. */
export interface Servers {
  readonly kafka: KafkaAccess | undefined;
  /** A registry with Confluent's routes. */
  readonly registryUrl: string | undefined;
  readonly redisUrl: string | undefined;
  /** For a `rediss://`; undefined: the usual. */
  readonly redisTls: ClientTls | undefined;
  /** A worker of Kafka Connect. */
  readonly connectUrl: string | undefined;
  readonly capture: CaptureKind;
  /** How long Kafka's topics of dead letters keep their records; undefined: their default. */
  readonly deadLetterRetentionMs: number | undefined;
  /** How the Connect worker reaches database and registry, where that differs from our way. */
  readonly fromConnect: {
    readonly databaseUrl: string | undefined;
    readonly registryUrl: string | undefined;
  };
}

/** Everything in Postgres and in this process. */
export const embeddedServers: Servers = {
  kafka: undefined,
  registryUrl: undefined,
  redisUrl: undefined,
  redisTls: undefined,
  connectUrl: undefined,
  capture: "embedded",
  deadLetterRetentionMs: undefined,
  fromConnect: { databaseUrl: undefined, registryUrl: undefined },
};

/** @throws CommandFailure `usage` naming every setting that can't be used. */
export function serversOf(settings: Environment): Servers {
  const faults: string[] = [];
  const kafka = kafkaIn(settings, faults);
  const url = (name: string, schemes: readonly string[]): string | undefined => {
    const value = settings[name];
    if (value === undefined) return undefined;
    const scheme = URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : "";
    if (!schemes.includes(scheme)) faults.push(`${name} must be a URL (${schemes.join(", ")})`);
    return value;
  };
  const servers: Servers = {
    kafka,
    registryUrl: url("SCHEMA_REGISTRY_URL", ["http", "https"]),
    redisUrl: url("REDIS_URL", ["redis", "rediss"]),
    redisTls: redisTlsIn(settings, faults),
    connectUrl: url("CONNECT_URL", ["http", "https"]),
    capture: captureIn(settings, kafka, faults),
    deadLetterRetentionMs: retentionIn(settings, faults),
    fromConnect: {
      databaseUrl: url("CONNECT_DATABASE_URL", ["postgres", "postgresql"]),
      registryUrl: url("CONNECT_SCHEMA_REGISTRY_URL", ["http", "https"]),
    },
  };
  if (faults.length > 0) throw new CommandFailure("usage", `Settings: ${faults.join("; ")}.`);
  return servers;
}

function retentionIn(settings: Environment, faults: string[]): number | undefined {
  const { DLQ_RETENTION_DAYS: told } = settings;
  if (told === undefined) return undefined;
  const days = Number(told);
  if (!/^\d{1,5}$/.test(told) || days < 1) {
    faults.push(`DLQ_RETENTION_DAYS must be a whole number of days from 1 on, not ${told}`);
  }
  return days * 24 * 3_600_000;
}

function captureIn(
  { CAPTURE: told }: Environment,
  kafka: KafkaAccess | undefined,
  faults: string[],
): CaptureKind {
  const kind = told ?? (kafka === undefined ? "embedded" : "debezium");
  if (kind !== "embedded" && kind !== "debezium") {
    faults.push(`CAPTURE must be embedded or debezium, not ${kind}`);
    return "embedded";
  }
  if (kind === "debezium" && kafka === undefined) {
    faults.push("CAPTURE=debezium publishes to Kafka: set KAFKA_BROKERS too");
  }
  return kind;
}

function kafkaIn(settings: Environment, faults: string[]): KafkaAccess | undefined {
  const { KAFKA_BROKERS: told } = settings;
  if (told === undefined) return undefined;
  const brokers = told.split(",").map((broker) => broker.trim());
  const wrong = brokers.filter((broker) => !/^\S+:\d{1,5}$/.test(broker));
  if (wrong.length > 0) {
    faults.push(`KAFKA_BROKERS must be host:port, with commas between, not ${wrong.join(", ")}`);
  }
  const tls = tlsIn(settings, faults);
  const sasl = saslIn(settings, faults);
  return { brokers, ...(tls ? { tls } : {}), ...(sasl ? { sasl } : {}) };
}

function tlsIn(settings: Environment, faults: string[]): KafkaAccess["tls"] {
  const { KAFKA_TLS: told } = settings;
  const files = clientTlsIn("KAFKA", settings, faults);
  if (told !== undefined && told !== "on" && told !== "off") {
    faults.push(`KAFKA_TLS must be on or off, not ${told}`);
  }
  if (told === "off") return undefined;
  return files ?? (told === undefined ? undefined : {});
}

function redisTlsIn(settings: Environment, faults: string[]): ClientTls | undefined {
  const tls = clientTlsIn("REDIS", settings, faults);
  if (tls !== undefined && !settings["REDIS_URL"]?.startsWith("rediss:")) {
    faults.push("REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY go with a REDIS_URL of rediss://");
  }
  return tls;
}

function saslIn(settings: Environment, faults: string[]): KafkaAccess["sasl"] {
  const {
    KAFKA_SASL_MECHANISM: told,
    KAFKA_USERNAME: username,
    KAFKA_PASSWORD: password,
  } = settings;
  if (told === undefined && username === undefined) return undefined;
  const mechanism = saslMechanisms.find((one) => one === (told ?? "plain").toLowerCase());
  if (mechanism === undefined) {
    faults.push(`KAFKA_SASL_MECHANISM must be one of ${saslMechanisms.join(", ")}, not ${told}`);
  }
  if (username === undefined || password === undefined) {
    faults.push("KAFKA_USERNAME and KAFKA_PASSWORD go together, with KAFKA_SASL_MECHANISM");
  }
  if (mechanism === undefined || username === undefined || password === undefined) return undefined;
  return { mechanism, username, password };
}
