import type { TestProject } from "vitest/node";

import { TestBroker } from "./kafka-broker.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** `host:port` of brokers, with commas between them. */
    kafkaBrokers: string;
  }
}

/**
 * The broker of a run of the tests: the one that KAFKA_BROKERS names, or one that is started. Tests
 * make topics of their own in it; what stops or breaks a broker starts its own.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env["KAFKA_BROKERS"];
  if (given !== undefined && given !== "") {
    project.provide("kafkaBrokers", given);
    return async () => undefined;
  }
  const broker = await TestBroker.start();
  project.provide("kafkaBrokers", broker.address);
  return () => broker[Symbol.asyncDispose]();
}
