import { JsonCodec } from "../memory/json-codec.ts";
import { MemoryRecordLog } from "../memory/record-log.ts";
import { partitionOf } from "../partitioner.ts";
import type { RowChange } from "../ports/codec.ts";
import type { ChangeTopic } from "../topic.ts";

export interface TableStageOptions {
  readonly topic: ChangeTopic;
  readonly key: (row: never) => string | undefined;
  readonly codec?: JsonCodec;
}

/** A log with a table's changes in it, as the capture writes them. */
export class TableStage {
  readonly log = new MemoryRecordLog();
  readonly codec: JsonCodec;
  readonly #options: TableStageOptions;

  private constructor(options: TableStageOptions) {
    this.#options = options;
    this.codec = options.codec ?? new JsonCodec();
  }

  static async open(options: TableStageOptions): Promise<TableStage> {
    const stage = new TableStage(options);
    const { name, partitions } = options.topic;
    await stage.log.ensureTopic({ name, partitions });
    return stage;
  }

  /** A delete is followed by its tombstone. */
  async append(change: RowChange): Promise<void> {
    const { topic, key: keyOf } = this.#options;
    const key = keyOf((change.after ?? change.before) as never) ?? "";
    const partition = partitionOf(key, topic.partitions);
    const record = {
      timestampMs: change.sourceTimestampMs,
      key: Buffer.from(key, "utf8"),
      headers: [],
    };
    const values = [this.codec.encodeChange(topic, change), ...(change.op === "d" ? [null] : [])];
    const records = values.map((value) => ({ ...record, value }));
    await this.log.append([{ topic: topic.name, partition, records }]);
  }
}
