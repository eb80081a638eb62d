import type { Generation, ReadModel } from "../../engine/ports/read-model-store.ts";
import type { RowText } from "./row-text.ts";

/** A generation that this process has met. */
export interface KnownGeneration {
  readonly generation: Generation;
  readonly model: ReadModel;
  /** Partitions of its topics; all have the same number. */
  readonly partitions: number;
  readonly text: RowText;
}
