import type { AnyRow } from "../columns.ts";
import type { OpenBatch, TaskStore } from "./batch.ts";
import type { HotRow } from "./hot-rows.ts";
import type { Pipeline } from "./pipeline.ts";
import { recordPlace } from "./suspects.ts";

/** Folds one staged record after the other into the open batch. */
export class RecordFold {
  readonly #pipeline: Pipeline;
  readonly #open: OpenBatch;
  readonly #store: Pick<TaskStore, "check">;

  constructor(options: {
    readonly pipeline: Pipeline;
    readonly open: OpenBatch;
    readonly store: Pick<TaskStore, "check">;
  }) {
    this.#pipeline = options.pipeline;
    this.#open = options.open;
    this.#store = options.store;
  }

  /**
   * Folds the record staged at this index; its row must be loaded. Throws what the fold does, and
   * has changed nothing then.
   */
  apply(at: number, source: { readonly topic: string; readonly partition: number }): void {
    const { staged, meta, folder, emissions, suspects } = this.#pipeline;
    const open = this.#open;
    const row = staged.rows[at] as HotRow;
    meta.topic = source.topic;
    meta.partition = source.partition;
    meta.offset = staged.offsets[at] as number;
    meta.recordedAtMs = staged.recordedAtMs[at] as number;
    meta.sequence = staged.sequences[at] as number;
    if (emissions !== undefined) emissions.begin(staged.origins[at] as never);
    const after = folder(staged.handlers[at], row, staged.events[at]);
    if (suspects.size > 0) this.#check(row, after);
    // Only now: a reaction that threw has neither changed its state nor asked for anything.
    if (after !== row.row) open.changed = true;
    row.row = after;
    row.cause = staged.origins[at] ?? row.cause;
    open.touch(row);
    if (emissions !== undefined && emissions.calls.length > 0) {
      for (const call of emissions.calls) open.calls.push(call);
    }
  }
  /** Throws for what a flush was refused for. */
  #check(row: HotRow, after: AnyRow | undefined): void {
    const { suspects, meta } = this.#pipeline;
    const error = suspects.errorOf(recordPlace(meta));
    if (error !== undefined) throw error;
    const { key, partition, base } = row;
    if (suspects.hasRow(key)) this.#store.check?.({ key, partition, before: base, after });
  }
}
