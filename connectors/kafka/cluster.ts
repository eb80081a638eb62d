import { setTimeout as delay } from "node:timers/promises";

import { FatalError, TransientError } from "../../engine/errors.ts";
import { topicUnknown } from "../../engine/record-log/faults.ts";
import { BrokerConnection } from "./connection/broker-connection.ts";
import type { Address, KafkaConnectionOptions, KafkaSasl } from "./connection/options.ts";
import { brokerFault, errorCodes } from "./error-codes.ts";
import {
  type BrokerAddress,
  type Metadata,
  metadata,
  type TopicMetadata,
} from "./requests/metadata.ts";
import type { KafkaRequest } from "./wire/request.ts";

export interface KafkaClusterOptions extends Partial<Omit<KafkaConnectionOptions, "sasl">> {
  /** `host:port` of some brokers; the others are learned from them. */
  readonly brokers: readonly string[];
  readonly sasl?: KafkaSasl;
  /** How long a call tries again before it fails with a TransientError. */
  readonly retryTimeoutMs?: number;
}

const retryDelayMs = 50;
const retryDelayMaxMs = 1_000;

/**
 * The brokers of a Kafka cluster: finds them, keeps one connection to each for short requests, and
 * opens further ones for who needs one alone.
 */
export class KafkaCluster implements AsyncDisposable {
  readonly #seeds: readonly Address[];
  readonly #options: KafkaConnectionOptions;
  readonly #retryTimeoutMs: number;
  readonly #brokers = new Map<number, Address>();
  /** By `host:port`. */
  readonly #shared = new Map<string, SharedConnection>();
  #closed = false;

  constructor(options: KafkaClusterOptions) {
    const { brokers, retryTimeoutMs = 15_000, ...connection } = options;
    if (brokers.length === 0) throw new TypeError("A Kafka cluster needs at least one broker.");
    this.#seeds = brokers.map(addressOf);
    this.#retryTimeoutMs = retryTimeoutMs;
    this.#options = {
      clientId: "refold",
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 15_000,
      answerBytesMax: 128 * 1024 * 1024,
      ...connection,
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Asks some broker. */
  async ask<Answer>(request: KafkaRequest<Answer>): Promise<Answer> {
    let failure: unknown = new Error("no broker is known");
    for (const address of this.#everyAddress()) {
      try {
        return await (await this.#sharedConnection(address)).request(request);
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** Asks one broker, over the connection that all share. */
  async askNode<Answer>(nodeId: number, request: KafkaRequest<Answer>): Promise<Answer> {
    return (await this.#sharedConnection(this.#address(nodeId))).request(request);
  }

  /** A connection of the caller's own, who closes it. */
  async connect(nodeId: number): Promise<BrokerConnection> {
    this.#assertOpen();
    return BrokerConnection.open(this.#address(nodeId), this.#options);
  }

  /** Metadata of some topics (undefined: all), and the brokers as they are now. */
  async metadata(topics?: readonly string[]): Promise<Metadata> {
    const found = await this.ask(metadata(topics));
    // Those that are gone are asked no more: a host that is down takes a timeout to say nothing.
    if (found.brokers.length > 0) this.#brokers.clear();
    this.learn(found.brokers);
    return found;
  }

  learn(brokers: readonly BrokerAddress[]): void {
    for (const { nodeId, host, port } of brokers) this.#brokers.set(nodeId, { host, port });
  }

  /**
   * A topic with a leader for each partition.
   *
   * @throws FatalError `topic-unknown`, naming the topics that there are.
   */
  async topic(name: string): Promise<TopicMetadata> {
    const found = await this.findTopic(name);
    if (found) return found;
    const { topics } = await this.metadata();
    const known = topics.filter((topic) => !topic.internal).map((topic) => topic.name);
    throw topicUnknown(name, known.sort());
  }

  /** undefined: the cluster has no such topic. */
  async findTopic(name: string): Promise<TopicMetadata | undefined> {
    const topic = (await this.metadata([name])).topics[0];
    if (topic?.errorCode === errorCodes.unknownTopicOrPartition) return undefined;
    const doing = `Looking for topic ${name}`;
    if (!topic) throw new FatalError("kafka", `${doing}: no answer.`, "See the broker's log.");
    // Partitions without a leader stand in a topic that is there all the same.
    if (topic.errorCode !== 0 && topic.partitions.length === 0) {
      throw brokerFault(topic.errorCode, doing);
    }
    return topic;
  }

  /** Tries again what fails with a TransientError, until the time is over or `signal` aborts. */
  async retry<Result>(attempt: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const deadline = performance.now() + this.#retryTimeoutMs;
    for (let failures = 0; ; failures += 1) {
      try {
        return await attempt();
      } catch (error) {
        const over = performance.now() > deadline || this.#closed || signal?.aborted;
        if (!(error instanceof TransientError) || over) throw error;
        await delay(retryWaitMs(failures), undefined, signal ? { signal } : {}).catch(ignore);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const openings = [...this.#shared.values()].map(({ opening }) => opening);
    const connections = await Promise.allSettled(openings);
    for (const one of connections) if (one.status === "fulfilled") one.value.close();
    this.#shared.clear();
  }

  #assertOpen(): void {
    if (!this.#closed) return;
    throw new TransientError("kafka-closed", "The connections to Kafka were closed on this side.");
  }

  /** Those that are connected first. */
  #everyAddress(): Address[] {
    const all = [...this.#brokers.values(), ...this.#seeds];
    return [...all.filter((one) => this.#isOpen(one)), ...all.filter((one) => !this.#isOpen(one))];
  }

  #isOpen({ host, port }: Address): boolean {
    const connection = this.#shared.get(`${host}:${port}`)?.connection;
    return connection !== undefined && !connection.closed;
  }

  #address(nodeId: number): Address {
    const address = this.#brokers.get(nodeId);
    if (address) return address;
    throw new TransientError("kafka", `Kafka's metadata names no broker ${nodeId} at the moment.`);
  }

  #sharedConnection(address: Address): Promise<BrokerConnection> {
    this.#assertOpen();
    const key = `${address.host}:${address.port}`;
    const there = this.#shared.get(key);
    if (there && !there.failed && !there.connection?.closed) return there.opening;
    const opening = BrokerConnection.open(address, this.#options);
    const shared: SharedConnection = { opening, failed: false };
    this.#shared.set(key, shared);
    opening.then(
      (connection) => (shared.connection = connection),
      () => (shared.failed = true),
    );
    return opening;
  }
}

interface SharedConnection {
  readonly opening: Promise<BrokerConnection>;
  connection?: BrokerConnection;
  failed: boolean;
}

/** An aborted wait is over like any other; the next attempt's failure tells. */
const ignore = (): void => undefined;

/** How long to wait after some failures one after the other. */
export function retryWaitMs(failures: number): number {
  return Math.min(retryDelayMaxMs, retryDelayMs * 2 ** Math.min(failures, 10));
}

function addressOf(text: string): Address {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text.trim()) ?? [];
  if (host !== undefined && port !== undefined) return { host, port: Number(port) };
  throw new TypeError(`${JSON.stringify(text)} is no broker's address: host:port is wanted.`);
}
