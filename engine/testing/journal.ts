import { header } from "../envelope.ts";
import { partitionOf } from "../partitioner.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { PartitionAppend, RecordLog, RecordToAppend } from "../ports/record-log.ts";
import type { AnyEventType, EventTopic } from "../topic.ts";
import type { GivenEvent } from "./given.ts";

export interface JournalOptions {
  readonly log: RecordLog;
  readonly codec: EventCodec;
  readonly incarnation?: string;
  /** Recorded time of the first event; each later one is a second after the one before. */
  readonly startMs?: number;
}

/** Writes events to a log as the event store and the capture would: with lanes and envelope. */
export class Journal {
  readonly #options: JournalOptions;
  readonly #lanes = new Map<string, number>();
  #position = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  async open(topic: EventTopic): Promise<void> {
    const { name, partitions } = topic;
    await this.#options.log.ensureTopic({ name, partitions });
    await this.#options.codec.prepare(topic);
  }

  async append(topic: EventTopic, events: readonly GivenEvent[]): Promise<void> {
    await this.#options.log.append(this.encode(topic, events));
  }

  /** Records as they would be appended; each call goes on in the lanes. */
  encode(topic: EventTopic, events: readonly GivenEvent[]): PartitionAppend[] {
    const byPartition = new Map<number, RecordToAppend[]>();
    for (const event of events) {
      const key = String((event.event as Record<string, unknown>)[topic.key]);
      const partition = partitionOf(key, topic.partitions);
      const records = byPartition.get(partition) ?? [];
      records.push(this.#record(topic, event, { key, partition }));
      byPartition.set(partition, records);
    }
    return [...byPartition].map(([partition, records]) => ({
      topic: topic.name,
      partition,
      records,
    }));
  }

  #record(
    topic: EventTopic,
    { type, event, recordedAtMs }: GivenEvent,
    at: { key: string; partition: number },
  ): RecordToAppend {
    const { codec, startMs = 0 } = this.#options;
    const lane = `${topic.name}/${at.partition}`;
    const sequence = (this.#lanes.get(lane) ?? 0) + 1;
    this.#lanes.set(lane, sequence);
    const timestampMs = recordedAtMs ?? startMs + this.#position * 1_000;
    this.#position += 1;
    return {
      timestampMs,
      key: Buffer.from(at.key, "utf8"),
      value: codec.encode(topic, type, event),
      headers: this.#headers(type, sequence),
    };
  }

  #headers(type: AnyEventType, sequence: number): RecordToAppend["headers"] {
    const { incarnation = "test" } = this.#options;
    const texts: readonly (readonly [string, string])[] = [
      [header.sequence, String(sequence)],
      [header.incarnation, incarnation],
      [header.id, `event-${this.#position}`],
      [header.type, type.fullName],
    ];
    return texts.map(([name, text]) => ({ name, value: Buffer.from(text, "utf8") }));
  }
}
