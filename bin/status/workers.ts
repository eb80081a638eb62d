import type { Pool } from "pg";

import type { StatusBoard } from "../../engine/ports/status-board.ts";
import { databaseNowMs } from "./gather.ts";
import { staleAfterMs } from "./report.ts";

export interface WorkersSources {
  readonly pool: Pool;
  readonly board: Pick<StatusBoard, "read">;
}

/** Does any process say that it runs projections or processors now? */
export async function workersRun({ board, pool }: WorkersSources): Promise<boolean> {
  const [entries, nowMs] = await Promise.all([board.read(), databaseNowMs(pool)]);
  return entries.some(
    ({ state, kind, reportedAtMs }) =>
      kind !== "capture" && state !== "stopped" && nowMs - reportedAtMs <= staleAfterMs,
  );
}
