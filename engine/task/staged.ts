import type { HotRow } from "./hot-rows.ts";
import type { SourceOrigin } from "./source-origin.ts";
import type { TaskPartition } from "./task-partition.ts";

/** Records of one partition that stand one after the other in the staged chunk. */
export interface Segment {
  readonly source: TaskPartition;
  readonly bytes: Buffer;
  readonly first: number;
  end: number;
  /** Records passed over: duplicates, unknown types, tombstones. */
  passed: number;
}

/**
 * A chunk of decoded records that wait for their rows: columns of one array each, used again for
 * every chunk, so that nothing but the event is allocated for a record.
 */
export class Staged<Handler> {
  length = 0;
  readonly segments: Segment[] = [];
  readonly events: unknown[] = [];
  readonly rows: HotRow[] = [];
  readonly handlers: Handler[] = [];
  readonly offsets: Float64Array;
  readonly sequences: Float64Array;
  readonly recordedAtMs: Float64Array;
  /** As many as are needed (`IntakeNeeds`), of the first records. */
  readonly origins: SourceOrigin[] = [];
  /** Entries made for keys that are not held. */
  readonly missing: HotRow[] = [];

  constructor(recordsMax: number) {
    this.offsets = new Float64Array(recordsMax);
    this.sequences = new Float64Array(recordsMax);
    this.recordedAtMs = new Float64Array(recordsMax);
  }

  clear(): void {
    this.length = 0;
    this.segments.length = 0;
    this.missing.length = 0;
    this.events.length = 0;
    this.rows.length = 0;
    this.origins.length = 0;
  }
}
