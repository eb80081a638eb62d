import type { ConnectionOptions } from "node:tls";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How to say who we are. */
export interface KafkaSasl {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

export interface KafkaConnectionOptions {
  /** TLS settings of Node; an empty object for the usual ones. Left out: without TLS. */
  readonly tls?: Omit<ConnectionOptions, "host" | "port" | "socket">;
  readonly sasl?: KafkaSasl;
  /** Stands in the broker's logs and quotas. */
  readonly clientId: string;
  /** From the first packet to the end of the authentication. */
  readonly connectTimeoutMs: number;
  /** How long an answer may take; a request that makes the broker wait adds its own time. */
  readonly requestTimeoutMs: number;
  /** An answer that claims to be larger ends the connection: it can't be Kafka's. */
  readonly answerBytesMax: number;
}
