import { FatalError, TransientError } from "../../../engine/errors.ts";
import type { RecordToAppend } from "../../../engine/ports/record-log.ts";
import type { RecordBatchWriter } from "../../../engine/record-batch/index.ts";
import type { BatchLimits } from "../../../engine/record-log/batches.ts";
import { AppendCall, type Parcel, parcelsOf } from "./append-call.ts";

export interface Producer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A batch on its way. Its bytes, and with them its sequence, stay the same over retries. */
interface Batch {
  readonly bytes: Buffer;
  readonly parcels: readonly Parcel[];
  readonly count: number;
}

/** Sequences are 31 bits wide and begin at 0 again. */
const sequencesInAll = 2 ** 31;

/**
 * What waits to be appended to one partition. One batch at a time is on its way, with the sequence
 * that follows the one before, so that the broker appends each once and in order, however often it
 * is sent. When a batch fails for good, everything behind it fails too: nobody's records may pass
 * those before them.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  inFlight = false;
  /** Monotonic time before which nothing is sent, after a failure. */
  notBeforeMs = 0;
  failures = 0;
  /** Monotonic time of the first failure since something was appended. */
  failingSinceMs = Infinity;
  readonly #limits: BatchLimits;
  #batchBytesMax: number;
  #parcels: Parcel[] = [];
  #batch: Batch | undefined;
  #producer: Producer | undefined;
  #sequence = 0;

  constructor(target: { readonly topic: string; readonly partition: number }, limits: BatchLimits) {
    this.topic = target.topic;
    this.partition = target.partition;
    this.#limits = limits;
    this.#batchBytesMax = limits.batchBytesMax;
  }

  get isEmpty(): boolean {
    return this.#batch === undefined && this.#parcels.length === 0;
  }

  get needsProducer(): boolean {
    return this.#producer === undefined;
  }

  /** From here on this producer appends, beginning with sequence 0. */
  useProducer(producer: Producer): void {
    this.#producer = producer;
    this.#sequence = 0;
  }

  add(records: readonly RecordToAppend[]): AppendCall {
    const call = new AppendCall(this, records.length);
    this.#parcels.push(...parcelsOf(call, records, this.#limitsNow()));
    return call;
  }

  /** The batch to send: the one that was not acknowledged, or as much as stands in a new one. */
  take(writer: RecordBatchWriter): Buffer {
    this.#batch ??= this.#encode(writer);
    return this.#batch.bytes;
  }

  #encode(writer: RecordBatchWriter): Batch {
    const { batchRecordsMax } = this.#limits;
    let taken = 0;
    let bytes = 0;
    let count = 0;
    for (const parcel of this.#parcels) {
      const full =
        bytes + parcel.bytes > this.#batchBytesMax ||
        count + parcel.records.length > batchRecordsMax;
      if (taken > 0 && full) break;
      taken += 1;
      bytes += parcel.bytes;
      count += parcel.records.length;
    }
    const parcels = this.#parcels.splice(0, taken);
    for (const { records } of parcels) for (const record of records) writer.add(record);
    const producer = this.#producer as Producer;
    const stamped = writer.finish(0, { ...producer, baseSequence: this.#sequence });
    return { bytes: stamped, parcels, count };
  }

  acknowledged(baseOffset: bigint): void {
    const batch = this.#batch as Batch;
    this.#batch = undefined;
    this.#recovered();
    this.#batchBytesMax = this.#limits.batchBytesMax;
    this.#sequence = (this.#sequence + batch.count) % sequencesInAll;
    let at = baseOffset;
    for (const { call, records } of batch.parcels) {
      call.appended(at, records.length);
      at += BigInt(records.length);
    }
  }

  /**
   * The broker takes no batch so large: smaller ones are made of it. One record that is too large
   * by itself fails.
   */
  tooLarge(): void {
    const { parcels, count, bytes } = this.#batch as Batch;
    if (count === 1) {
      const error = recordTooLarge(this.topic, this.partition, bytes.length);
      parcels[0]?.call.failed(error);
      this.fail(new TransientError("kafka-append", `An append before this one failed: ${error}`));
      return;
    }
    this.#batch = undefined;
    this.#batchBytesMax = Math.floor(bytes.length / 2);
    const smaller = parcels.flatMap(({ call, records }) =>
      parcelsOf(call, records, this.#limitsNow()),
    );
    this.#parcels.unshift(...smaller);
  }

  /** All that waits fails; what follows is appended by another producer id. */
  fail(error: Error): void {
    const failed = [...(this.#batch?.parcels ?? []), ...this.#parcels];
    this.#batch = undefined;
    this.#parcels = [];
    this.#producer = undefined;
    this.#recovered();
    for (const { call } of failed) call.failed(error);
  }

  #recovered(): void {
    this.failures = 0;
    this.failingSinceMs = Infinity;
  }

  #limitsNow(): BatchLimits {
    return { ...this.#limits, batchBytesMax: this.#batchBytesMax };
  }
}

function recordTooLarge(topic: string, partition: number, bytes: number): FatalError {
  return new FatalError(
    "record-too-large",
    `A record for ${topic}, partition ${partition}, makes a batch of ${bytes} bytes, and the ` +
      "broker refuses it.",
    "Raise the topic's max.message.bytes (and the consumers' and replicas' limits with it).",
  );
}
