import { FencedError, TransientError } from "../../engine/errors.ts";
import type { ReadPosition } from "../../engine/ports/read-model-reader.ts";

/** Redis has lost what says where these partitions stand: it was emptied, or is another one. */
export class RedisColdError extends FencedError {
  constructor(projection: string, partitions: readonly number[]) {
    super(
      [...partitions].sort((a, b) => a - b),
      `${projection} is cold in Redis (partitions ${partitions.join(", ")}): it was emptied, or ` +
        `never filled. Nothing was written; it is to be filled from a snapshot.`,
    );
  }
}

/** Partitions that aren't whole in Redis, so that no answer is made of them; the others stand here. */
export class NotWholeError extends TransientError {
  readonly partitions: readonly number[];
  readonly positions: readonly ReadPosition[];

  constructor(
    projection: string,
    stands: { readonly cold: readonly number[]; readonly positions: readonly ReadPosition[] },
  ) {
    const { cold, positions } = stands;
    super("cold", `${projection} isn't whole in Redis: partitions ${cold.join(", ")}.`);
    this.partitions = cold;
    this.positions = positions;
  }
}
