import { AvroWriter } from "../avro-writer.ts";
import type { Emit } from "./change.ts";
import type { OwnForm } from "./own-record.ts";

export interface HeartbeatTopicOptions {
  readonly topic: string;
  /** The topics' prefix, which is the record's key. */
  readonly serverName: string;
  readonly form: OwnForm;
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
    const { topic, serverName, form } = this.#options;
    this.#writer.frame(form.schemaIds.key);
    this.#writer.string(serverName);
    const key = this.#writer.finish();
    this.#writer.frame(form.schemaIds.value);
    this.#writer.long(nowMs);
    const value = this.#writer.finish();
    emit(topic, 0, form.finish({ timestampMs: nowMs, key, value, headers: [] }));
  }
}
