import { FencedError } from "../../engine/errors.ts";

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
