import type {
  CapturePosition,
  CaptureSink,
  LoggedLaneEnd,
} from "../../engine/ports/capture-sink.ts";
import type { PartitionAppend, RecordLog } from "../../engine/ports/record-log.ts";
import { laneEndsOf } from "./repair/log-lane-ends.ts";

export interface LogCaptureSinkOptions {
  /** Where records go. */
  readonly log: Pick<RecordLog, "append" | "ensureTopic" | "bounds" | "read">;
  /** Where the position is kept, and the epoch that fences earlier captures out. */
  readonly positions: CaptureSink;
}

/**
 * Publishes to a log that can't keep the position: the records first, then the position, so that a
 * crash between them repeats records and never skips any. Readers tell repetitions by their source
 * coordinates. A snapshot is published part by part, and repeated after a crash.
 *
 * A capture that was fenced out may still append what it had in hand before it learns so: these are
 * repetitions too, since the next one begins at the position.
 */
export class LogCaptureSink implements CaptureSink {
  readonly #log: LogCaptureSinkOptions["log"];
  readonly #positions: CaptureSink;

  constructor({ log, positions }: LogCaptureSinkOptions) {
    this.#log = log;
    this.#positions = positions;
  }

  open(): Promise<CapturePosition | undefined> {
    return this.#positions.open();
  }

  position(): Promise<CapturePosition | undefined> {
    return this.#positions.position();
  }

  tables(): Promise<readonly string[] | undefined> {
    return this.#positions.tables();
  }

  setTables(names: readonly string[]): Promise<void> {
    return this.#positions.setTables(names);
  }

  async hasRecords(topic: string): Promise<boolean> {
    const bounds = await this.#log.bounds(topic);
    return bounds.some(({ end }) => Number(end) > 0);
  }

  laneEnds(topic: string): Promise<readonly LoggedLaneEnd[]> {
    return laneEndsOf(this.#log, topic);
  }

  source(): Promise<string | undefined> {
    return this.#positions.source();
  }

  setSource(identity: string): Promise<void> {
    return this.#positions.setSource(identity);
  }

  async ensureTopic(topic: { readonly name: string; readonly partitions: number }): Promise<void> {
    await this.#log.ensureTopic(topic);
  }

  async publish(appends: readonly PartitionAppend[], upTo: CapturePosition): Promise<void> {
    if (appends.length > 0) await this.#log.append(appends);
    await this.#positions.publish([], upTo);
  }
}
