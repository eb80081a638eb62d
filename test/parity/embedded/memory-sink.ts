import type { CapturePosition, CaptureSink } from "../../../engine/ports/capture-sink.ts";
import type { PartitionAppend, RecordToAppend } from "../../../engine/ports/record-log.ts";
import type { SentRecord } from "../decode.ts";

/**
 * Keeps what a capture publishes, over its restarts, in the order of the stream over all topics:
 * the capture announces each record to `announce` before it publishes it; what it publishes without
 * is taken as it comes.
 */
export class MemorySink implements CaptureSink {
  /** Topics of records in the stream's order, those that are still to be published included. */
  readonly #announced = new Map<RecordToAppend, string>();
  readonly #published = new Set<RecordToAppend>();
  #position: CapturePosition | undefined;
  #tables: readonly string[] | undefined;
  #source: string | undefined;

  /** Topics of what was published, each as often as it got a record. */
  get topics(): string[] {
    return this.#inOrder().map(([, topic]) => topic);
  }

  get records(): SentRecord[] {
    return this.#inOrder().map(([record, topic]) => ({
      topic,
      key: bufferOf(record.key),
      value: bufferOf(record.value),
      headers: record.headers.map(({ name, value }) => [name, bufferOf(value)]),
    }));
  }

  announce(topic: string, record: RecordToAppend): void {
    this.#announced.set(record, topic);
  }

  open(): Promise<CapturePosition | undefined> {
    return this.position();
  }

  position(): Promise<CapturePosition | undefined> {
    return Promise.resolve(this.#position);
  }

  tables(): Promise<readonly string[] | undefined> {
    return Promise.resolve(this.#tables);
  }

  setTables(names: readonly string[]): Promise<void> {
    this.#tables = names;
    return Promise.resolve();
  }

  source(): Promise<string | undefined> {
    return Promise.resolve(this.#source);
  }

  setSource(identity: string): Promise<void> {
    this.#source = identity;
    return Promise.resolve();
  }

  publish(appends: readonly PartitionAppend[], upTo: CapturePosition): Promise<void> {
    for (const { topic, records } of appends) {
      for (const record of records) {
        if (!this.#announced.has(record)) this.#announced.set(record, topic);
        this.#published.add(record);
      }
    }
    this.#position = upTo;
    return Promise.resolve();
  }

  async publishSnapshot(
    parts: AsyncIterable<readonly PartitionAppend[]>,
    upTo: CapturePosition,
  ): Promise<void> {
    for await (const part of parts) await this.publish(part, upTo);
    await this.publish([], upTo);
  }

  #inOrder(): [RecordToAppend, string][] {
    return [...this.#announced].filter(([record]) => this.#published.has(record));
  }
}

function bufferOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
