import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

/** Servers that tests share: each takes names of its own there, and deletes nothing of others'. */
export interface ProductionStack {
  readonly kafkaBrokers: string;
  readonly connectUrl: string;
  readonly registryUrl: string;
}

/**
 * The servers that KAFKA_BROKERS, CONNECT_URL and SCHEMA_REGISTRY_URL name, or the file that
 * `npm run stack` writes (`.env.stack`, or STACK_ADDRESSES).
 */
export function productionStack(): ProductionStack {
  const path = process.env["STACK_ADDRESSES"] ?? ".env.stack";
  const file = existsSync(path) ? parseEnv(readFileSync(path, "utf8")) : {};
  const address = (name: string): string => {
    const value = process.env[name] ?? file[name];
    if (value !== undefined && value !== "") return value;
    throw new Error(`${name} names no server: run npm run stack, or set it.`);
  };
  return {
    kafkaBrokers: address("KAFKA_BROKERS"),
    connectUrl: address("CONNECT_URL"),
    registryUrl: address("SCHEMA_REGISTRY_URL"),
  };
}

/** A name that no other run of the tests has: `t1f0c9a2b3`. */
export function ownName(): string {
  return `t${randomBytes(5).toString("hex")}`;
}
