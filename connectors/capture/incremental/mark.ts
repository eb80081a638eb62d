import type { Emit, PlacedChange } from "../routing/change.ts";

/** Where a mark stands in the stream, and where the records that belong there go. */
export interface Mark {
  readonly placed: Pick<PlacedChange, "lsn" | "transaction">;
  readonly emit: Emit;
}
