import { FatalError } from "../errors.ts";
import type { RebuildProof, RebuildRecord } from "../ports/rebuilds.ts";

/** Do the two builds have the same rows, and is what is stored of them sound? */
export const isEqual = (proof: RebuildProof): boolean =>
  proof.liveVersion === proof.shadowVersion &&
  proof.bucketsDiffering.length === 0 &&
  proof.added + proof.removed + proof.changed === 0 &&
  proof.redis !== "differs";

/**
 * What may be swapped in: a shadow of the same version without any difference, or one whose
 * differences were accepted.
 *
 * - `equal`: at the moment of the swap it must be so still.
 * - `level`: both must stand at the same place then.
 * - `no`: somebody must accept it first.
 *
 * @throws FatalError `recount-differs`: the shadow isn't sound in itself.
 */
export function promotion({ proof, request }: RebuildRecord): "equal" | "level" | "no" {
  if (proof === undefined) return "no";
  if (proof.recount === "differs") {
    throw new FatalError(
      "recount-differs",
      "The shadow's stored rows, counted anew, don't give the digests that were kept with them: " +
        "somebody has written to its table.",
      "Find out who has, and start the rebuild again.",
    );
  }
  if (isEqual(proof)) return "equal";
  return request.accept ? "level" : "no";
}
