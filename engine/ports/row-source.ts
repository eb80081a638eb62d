import type { AnyRow } from "../columns.ts";
import type { Generation } from "./read-model-store.ts";
import type { ReadPosition } from "./read-model-reader.ts";

/** How far one partition of a read model is: everything before it is applied. */
export type RowPosition = Pick<ReadPosition, "topic" | "partition" | "position">;

/** Which row, and when. */
export interface RowAsk {
  readonly of: Pick<Generation, "projection" | "generation">;
  readonly key: string;
  /** The partition that the row belongs to. */
  readonly partition: number;
  /**
   * Where the row is wanted: one position for each topic that the projection reads, all of this
   * partition. A topic that is left out had nothing applied.
   */
  readonly at: readonly RowPosition[];
  /**
   * The row as this source gave it for earlier positions: only what came since is folded. It is void
   * when dead letters of the partition were redriven since it was given.
   */
  readonly since?: {
    readonly row: AnyRow | undefined;
    readonly at: readonly RowPosition[];
  };
  /**
   * Called before each piece of a log is folded, with the offsets that it moves on: where other work
   * comes first, it waits.
   */
  readonly pace?: (offsets: number) => Promise<void>;
}

/**
 * Gives one row as the history has it, folded by the projection's own definition, with the columns
 * that a store keeps for it. Nothing is read from the read model.
 *
 * Records that operators have left out, and those that wait as dead letters of the generation, are
 * passed over, as the generation does.
 *
 * @throws FatalError `history-gone` when retention has taken records that the row needs,
 * `replay-halted` naming a record that can't be folded; TransientError.
 */
export interface RowSource {
  /** undefined: there was no such row. */
  rowAt(ask: RowAsk): Promise<AnyRow | undefined>;
}
