import { FatalError, type RefoldError, TransientError } from "../../../engine/errors.ts";
import type { Metrics } from "../../../engine/ports/metrics.ts";
import type { AppendedRange, PartitionAppend } from "../../../engine/ports/record-log.ts";
import { RecordBatchWriter } from "../../../engine/record-batch/index.ts";
import type { BatchLimits } from "../../../engine/record-log/batches.ts";
import { partitionUnknown } from "../../../engine/record-log/faults.ts";
import { type KafkaCluster, retryWaitMs } from "../cluster.ts";
import type { BrokerConnection } from "../connection/broker-connection.ts";
import { brokerFault, errorCodes, errorName, isRetriable } from "../error-codes.ts";
import { initProducerId } from "../requests/init-producer-id.ts";
import type { TopicMetadata } from "../requests/metadata.ts";
import { produce, type ProducedPartition } from "../requests/produce.ts";
import { recordsBytes } from "./append-call.ts";
import { PartitionQueue, type Producer } from "./partition-queue.ts";
import { Room } from "./room.ts";

export interface KafkaProducerOptions {
  readonly cluster: KafkaCluster;
  readonly metrics: Metrics;
  readonly limits: BatchLimits;
  /** About how many bytes one request carries; there is one on its way to each broker. */
  readonly requestBytesMax: number;
  /** About how many bytes may wait to be acknowledged; further appends wait until there is room. */
  readonly pendingBytesMax: number;
  /** How long a batch is tried again before its append fails with a TransientError. */
  readonly deliveryTimeoutMs: number;
}

const brokerTimeoutMs = 10_000;

/**
 * Appends by partition, each batch once (an idempotent producer without transactions): acknowledged
 * by all replicas in sync, one batch of a partition on its way at a time. What comes while a request
 * is on its way waits and goes together.
 *
 * An append that fails may have been written all the same, up to some record.
 */
export class KafkaProducer implements AsyncDisposable {
  readonly #options: KafkaProducerOptions;
  readonly #queues = new Map<string, PartitionQueue>();
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #room: Room;
  readonly #writer = new RecordBatchWriter(64 * 1024);
  readonly #connections = new Map<number, BrokerConnection>();
  readonly #busyNodes = new Set<number>();
  #producer: Promise<Producer> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: KafkaProducerOptions) {
    this.#options = options;
    this.#room = new Room(options.pendingBytesMax);
  }

  /** Of appends that have records. */
  async append(appends: readonly PartitionAppend[]): Promise<AppendedRange[]> {
    if (this.#closed) throw closedFault();
    // All are looked up before anything is sent: an unknown one leaves the others alone.
    const queues: PartitionQueue[] = [];
    for (const append of appends) queues.push(await this.#queueOf(append));
    const bytes = appends.reduce((sum, { records }) => sum + recordsBytes(records), 0);
    await this.#room.take(bytes);
    try {
      return await this.#enqueue(queues, appends);
    } finally {
      this.#room.give(bytes);
    }
  }

  /** In one go, so that the records of one call for a partition stand together. */
  #enqueue(
    queues: readonly PartitionQueue[],
    appends: readonly PartitionAppend[],
  ): Promise<AppendedRange[]> {
    if (this.#closed) return Promise.reject(closedFault());
    const calls = queues.map((queue, index) => queue.add(appends[index]?.records ?? []));
    this.#pump();
    return Promise.all(calls.map((call) => call.done));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const queue of this.#queues.values()) queue.fail(closedFault());
    for (const connection of this.#connections.values()) connection.close();
  }

  async #queueOf({ topic, partition }: PartitionAppend): Promise<PartitionQueue> {
    const { cluster, limits } = this.#options;
    let found = this.#topics.get(topic);
    if (found === undefined) {
      found = await cluster.retry(() => cluster.topic(topic));
      this.#topics.set(topic, found);
    }
    if (partition >= found.partitions.length || partition < 0) {
      throw partitionUnknown(topic, partition, found.partitions.length);
    }
    const key = `${topic}:${partition}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new PartitionQueue({ topic, partition }, limits);
      this.#queues.set(key, queue);
    }
    return queue;
  }

  /** Sends what is ready to each broker that has no request on its way. */
  #pump(): void {
    if (this.#closed) return;
    const nowMs = performance.now();
    const ready = new Map<number, PartitionQueue[]>();
    let waitMs = Infinity;
    for (const queue of this.#queues.values()) {
      if (queue.isEmpty || queue.inFlight) continue;
      if (queue.notBeforeMs > nowMs) {
        waitMs = Math.min(waitMs, queue.notBeforeMs - nowMs);
        continue;
      }
      const leader = this.#leaderOf(queue);
      ready.set(leader, [...(ready.get(leader) ?? []), queue]);
    }
    for (const [node, queues] of ready) {
      if (this.#busyNodes.has(node)) continue;
      this.#busyNodes.add(node);
      void this.#deliver(node, queues);
    }
    clearTimeout(this.#timer);
    if (waitMs < Infinity) this.#timer = setTimeout(() => this.#pump(), Math.ceil(waitMs));
  }

  /** -1 while there is none: asking it fails, and the metadata is read again. */
  #leaderOf({ topic, partition }: PartitionQueue): number {
    return this.#topics.get(topic)?.partitions[partition]?.leader ?? -1;
  }

  /** Never rejects: what fails is told to the queues. */
  async #deliver(node: number, ready: readonly PartitionQueue[]): Promise<void> {
    for (const queue of ready) queue.inFlight = true;
    let sent: readonly PartitionQueue[] = ready;
    try {
      await this.#giveProducers(ready);
      const connection = await this.#connection(node);
      const { queues, batches } = this.#fill(ready);
      sent = queues;
      const topics = batchesByTopic(queues, batches);
      const request = produce({ timeoutMs: brokerTimeoutMs, topics });
      const waitMs = brokerTimeoutMs;
      this.#settle(queues, await connection.request(request, { waitMs }));
    } catch (error) {
      for (const queue of sent) this.#retryOrFail(queue, error as RefoldError);
      await this.#refresh(sent);
    } finally {
      for (const queue of ready) queue.inFlight = false;
      this.#busyNodes.delete(node);
      this.#pump();
    }
  }

  /** The batches of one request; what doesn't go with it waits for the next. */
  #fill(ready: readonly PartitionQueue[]): { queues: PartitionQueue[]; batches: Buffer[] } {
    const queues: PartitionQueue[] = [];
    const batches: Buffer[] = [];
    let bytes = 0;
    for (const queue of ready) {
      if (queue.isEmpty) continue;
      if (bytes >= this.#options.requestBytesMax) break;
      const batch = queue.take(this.#writer);
      queues.push(queue);
      batches.push(batch);
      bytes += batch.length;
    }
    // Others come first the next time.
    for (const queue of queues) {
      const key = `${queue.topic}:${queue.partition}`;
      this.#queues.delete(key);
      this.#queues.set(key, queue);
    }
    return { queues, batches };
  }

  #settle(queues: readonly PartitionQueue[], answers: readonly ProducedPartition[]): void {
    const stale: PartitionQueue[] = [];
    for (const queue of queues) {
      const { topic, partition } = queue;
      const answer = answers.find((one) => one.topic === topic && one.partition === partition);
      const code = answer?.errorCode ?? -1;
      if (answer && code === errorCodes.none && answer.baseOffset >= 0n) {
        queue.acknowledged(answer.baseOffset);
      } else if (code === errorCodes.messageTooLarge || code === errorCodes.recordListTooLarge) {
        queue.tooLarge();
      } else {
        this.#retryOrFail(queue, produceFault(code, queue));
        if (isRetriable(code)) stale.push(queue);
      }
    }
    if (stale.length > 0) void this.#refresh(stale);
  }

  #retryOrFail(queue: PartitionQueue, error: RefoldError): void {
    const nowMs = performance.now();
    queue.failures += 1;
    queue.failingSinceMs = Math.min(queue.failingSinceMs, nowMs);
    const over = nowMs - queue.failingSinceMs > this.#options.deliveryTimeoutMs;
    if (!(error instanceof TransientError) || error.code === lostProducer || over) {
      queue.fail(error);
      return;
    }
    this.#options.metrics.count("log_append_retries_total", 1);
    queue.notBeforeMs = nowMs + retryWaitMs(queue.failures - 1);
  }

  /** Leaders may have changed; a topic that is gone fails what waits for it. */
  async #refresh(queues: readonly PartitionQueue[]): Promise<void> {
    for (const topic of new Set(queues.map((queue) => queue.topic))) {
      try {
        this.#topics.set(topic, await this.#options.cluster.topic(topic));
      } catch (error) {
        if (error instanceof TransientError) continue;
        this.#topics.delete(topic);
        for (const queue of queues) if (queue.topic === topic) queue.fail(error as Error);
      }
    }
  }

  async #giveProducers(queues: readonly PartitionQueue[]): Promise<void> {
    const without = queues.filter((queue) => queue.needsProducer);
    if (without.length === 0) return;
    const producer = await this.#newProducer();
    for (const queue of without) queue.useProducer(producer);
  }

  /** A new id whenever one is needed: old sequences under an old id mean nothing any more. */
  #newProducer(): Promise<Producer> {
    this.#producer ??= this.#askForProducer().finally(() => (this.#producer = undefined));
    return this.#producer;
  }

  async #askForProducer(): Promise<Producer> {
    const { errorCode, ...producer } = await this.#options.cluster.ask(initProducerId);
    if (errorCode !== 0) throw brokerFault(errorCode, "Asking for a producer id");
    return producer;
  }

  async #connection(node: number): Promise<BrokerConnection> {
    const there = this.#connections.get(node);
    if (there && !there.closed) return there;
    const opened = await this.#options.cluster.connect(node);
    this.#connections.set(node, opened);
    if (this.#closed) opened.close();
    return opened;
  }
}

function batchesByTopic(queues: readonly PartitionQueue[], batches: readonly Buffer[]) {
  const topics = new Map<string, { partition: number; batch: Buffer }[]>();
  queues.forEach(({ topic, partition }, index) => {
    const batch = batches[index] as Buffer;
    topics.set(topic, [...(topics.get(topic) ?? []), { partition, batch }]);
  });
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

/** Code of the errors after which a partition goes on with another producer id. */
const lostProducer = "kafka-producer";

function produceFault(
  code: number,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): RefoldError {
  const doing = `Appending to ${topic}, partition ${partition}`;
  switch (code) {
    case errorCodes.outOfOrderSequence:
    case errorCodes.unknownProducerId:
    case errorCodes.duplicateSequence:
    case errorCodes.invalidProducerEpoch: {
      const what = `${doing}: the broker answered ${errorName(code)}, so that the records may be `;
      return new TransientError(lostProducer, `${what}there or not.`);
    }
    case errorCodes.producerFenced:
      return new FatalError(
        "producer-fenced",
        `${doing}: another producer has taken the id over.`,
        "Find out who appends beside this process.",
      );
    default:
      return brokerFault(code, doing);
  }
}

function closedFault(): TransientError {
  return new TransientError("kafka-closed", "The record log was closed while it appended.");
}
