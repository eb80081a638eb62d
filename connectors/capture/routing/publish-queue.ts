import { lsn } from "../../../engine/position.ts";
import type { CapturePosition, CaptureSink } from "../../../engine/ports/capture-sink.ts";
import type { PartitionAppend, RecordToAppend } from "../../../engine/ports/record-log.ts";
import type { StreamPlace } from "./assembler.ts";
import type { NewTopics } from "./new-topics.ts";
import { PublishBatch } from "./publish-batch.ts";

export interface PublishQueueOptions {
  readonly sink: CaptureSink;
  readonly newTopics: NewTopics;
  /** At so many records or bytes a batch waits for the publish in flight, and so does the stream. */
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
  /** `CapturePosition.incremental` of what is gathered so far. */
  readonly incremental: () => string | undefined;
  /** Called when a publish is durable. */
  readonly onPublished: (upTo: CapturePosition, records: number) => void;
  /** Called when a publish has failed; nothing is published after it. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * One publish in flight while the next batch fills: a lone transaction goes out at once, and under
 * load batches grow to what one publish takes.
 */
export class PublishQueue {
  readonly #options: PublishQueueOptions;
  readonly #batch = new PublishBatch();
  #inFlight: Promise<void> | undefined;
  #failed = false;
  #afterwards: (() => void) | undefined;

  constructor(options: PublishQueueOptions) {
    this.#options = options;
  }

  /** Nothing gathered and nothing in flight. */
  get idle(): boolean {
    return this.#batch.records === 0 && !this.#inFlight;
  }

  get busy(): boolean {
    return this.#inFlight !== undefined;
  }

  get empty(): boolean {
    return this.#batch.records === 0;
  }

  get full(): boolean {
    const { batchRecordsMax, batchBytesMax } = this.#options;
    return this.#batch.records >= batchRecordsMax || this.#batch.bytes >= batchBytesMax;
  }

  add(topic: string, partition: number, record: RecordToAppend): void {
    this.#batch.add(topic, partition, record);
  }

  /** Publishes what was gathered; only while nothing is in flight. `place` is where it reaches. */
  publish(place: StreamPlace, completeLsn: number): void {
    if (this.#inFlight || this.#failed) return;
    const records = this.#batch.records;
    const incremental = this.#options.incremental();
    const upTo: CapturePosition = {
      commitLsn: lsn(place.commitLsn),
      changesAfter: place.changesAfter,
      completeLsn: lsn(completeLsn),
      ...(incremental === undefined ? {} : { incremental }),
    };
    this.#inFlight = this.#send(this.#batch.take(), upTo).then(
      () => this.#done(upTo, records),
      (error: unknown) => {
        this.#failed = true;
        this.#inFlight = undefined;
        this.#options.onFailure(error);
      },
    );
  }

  /** Resolves when nothing is in flight. Never rejects: `onFailure` tells. */
  async settled(): Promise<void> {
    while (this.#inFlight) await this.#inFlight;
  }

  /** What to do whenever a publish has ended well: publish what has gathered meanwhile. */
  whenDone(next: () => void): void {
    this.#afterwards = next;
  }

  async #send(appends: readonly PartitionAppend[], upTo: CapturePosition): Promise<void> {
    const { sink, newTopics } = this.#options;
    await newTopics.ensure(appends);
    await sink.publish(appends, upTo);
  }

  #done(upTo: CapturePosition, records: number): void {
    this.#inFlight = undefined;
    this.#options.onPublished(upTo, records);
    this.#afterwards?.();
  }
}
