import { AvroWriter } from "../avro-writer.ts";
import type { Emit } from "./change.ts";
import type { TopicSchemaIds } from "./registered.ts";

export interface HeartbeatTopicOptions {
  readonly topic: string;
  /** The topics' prefix, which is the record's key. */
  readonly serverName: string;
  /** undefined: the outbox router's converters write the record, as text and JSON. */
  readonly schemaIds: TopicSchemaIds | undefined;
}

/** Records that say that the capture is alive, in partition 0. */
export class HeartbeatTopic {
  readonly #options: HeartbeatTopicOptions;
  readonly #writer = new AvroWriter(4_096);

  constructor(options: HeartbeatTopicOptions) {
    this.#options = options;
  }

  /** @param nowMs Milliseconds since 1970 (UTC). */
  beat(nowMs: number, emit: Emit): void {
    const { topic } = this.#options;
    emit(topic, 0, { timestampMs: nowMs, ...this.#record(nowMs), headers: [] });
  }

  #record(nowMs: number): { key: Buffer; value: Buffer } {
    const { serverName, schemaIds } = this.#options;
    if (!schemaIds) {
      const key = Buffer.from(`Struct{serverName=${serverName}}`, "utf8");
      return { key, value: Buffer.from(`{"ts_ms":${nowMs}}`) };
    }
    this.#writer.frame(schemaIds.key);
    this.#writer.string(serverName);
    const key = this.#writer.finish();
    this.#writer.frame(schemaIds.value);
    this.#writer.long(nowMs);
    return { key, value: this.#writer.finish() };
  }
}
