import type { Position } from "../../engine/position.ts";

/** Where a consumer stands in one partition, as its store has it. */
export interface StoredPosition {
  readonly topic: string;
  readonly partition: number;
  readonly position: Position | undefined;
  readonly lastRecordedAtMs?: number | undefined;
}
