import type { Columns } from "../columns.ts";
import type { BucketDigest } from "../digest.ts";
import type { ReadPosition } from "./read-model-reader.ts";
import type { Generation } from "./read-model-store.ts";

type Named = Pick<Generation, "projection" | "generation">;

/**
 * A store that follows the first one (Redis), for the proof of a rebuild.
 *
 * Both answers are `none` for projections that it doesn't keep, and `behind` when nothing can be told
 * of it.
 */
export interface SecondStore {
  /**
   * Does it hold a generation with these digests, at these positions? `behind` when it stands
   * elsewhere, or can't be asked.
   */
  compare(
    generation: Named,
    digests: ReadonlyMap<number, BucketDigest>,
    positions: readonly ReadPosition[],
  ): Promise<SecondStoreVerdict>;
  /**
   * Do its stored rows, counted from nothing, give the digests that it keeps with them? Wherever it
   * stands: its writer goes on meanwhile. `behind` when it isn't whole, changes too fast, or can't be
   * asked.
   */
  recount(generation: Named & { readonly columns: Columns }): Promise<SecondStoreVerdict>;
}

export type SecondStoreVerdict = "none" | "equal" | "differs" | "behind";
