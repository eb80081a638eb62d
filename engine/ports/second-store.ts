import type { BucketDigest } from "../digest.ts";
import type { ReadPosition } from "./read-model-reader.ts";
import type { Generation } from "./read-model-store.ts";

/** A store that follows the first one (Redis), for the proof of a rebuild. */
export interface SecondStore {
  /**
   * Does it hold a generation with these digests, at these positions?
   *
   * @returns `behind` when it stands elsewhere, or can't be asked: nothing can be told.
   */
  compare(
    generation: Pick<Generation, "projection" | "generation">,
    digests: ReadonlyMap<number, BucketDigest>,
    positions: readonly ReadPosition[],
  ): Promise<"equal" | "differs" | "behind">;
}
