import { randomBytes } from "node:crypto";

import { Kafka, logLevel, type Admin } from "kafkajs";
import { inject, onTestFinished } from "vitest";

import {
  KafkaCluster,
  type KafkaClusterOptions,
  KafkaRecordLog,
  type KafkaRecordLogOptions,
} from "../../connectors/kafka/index.ts";
import "./resting-kafkajs.ts";

export const brokersOfRun = (): string[] => inject("kafkaBrokers").split(",");

/** A name that no other test or run uses. */
export const newTopicName = (): string => `t-${randomBytes(6).toString("hex")}`;

/** What administrators do beside us, through another client. */
export async function adminOf(brokers: readonly string[]): Promise<Admin> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  return admin;
}

export async function adminOfTest(brokers = brokersOfRun()): Promise<Admin> {
  const admin = await adminOf(brokers);
  onTestFinished(() => admin.disconnect());
  return admin;
}

export function clusterOfTest(options: Partial<KafkaClusterOptions> = {}): KafkaCluster {
  const cluster = new KafkaCluster({ brokers: brokersOfRun(), ...options });
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  return cluster;
}

export function logOfTest(
  options: Partial<KafkaRecordLogOptions> = {},
  cluster = clusterOfTest(),
): KafkaRecordLog {
  const log = new KafkaRecordLog({ cluster, ...options });
  onTestFinished(() => log[Symbol.asyncDispose]());
  return log;
}
