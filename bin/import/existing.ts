import type { Pool } from "pg";

import { CommandFailure } from "../command-failure.ts";
import type { ImportPlan } from "./oulad-plan.ts";

/** In the envelope of every event that the import's commands make: tells them from others. */
export const correlationId = "import-oulad";

/** How far an earlier run came. */
export interface Existing {
  /** Recorded time of its last event: everything before it is done. */
  readonly reachedMs: number | undefined;
}

interface Foreign {
  readonly ce_type: string;
  readonly key: string;
  readonly ce_time: string;
}

/** The import's own: what its commands made, and the offers of its modules at their time. */
const own = `(ce_correlationid = $1
  or (topic = 'module-events' and key = any($2) and recorded_at = $3::timestamp))`;

/**
 * Looks at what the store holds. Recorded times never go back in a lane, so events of others after
 * the import's first would push its times out of history.
 *
 * @throws CommandFailure `refused` when there are such events.
 */
export async function examineStore(pool: Pool, plan: ImportPlan): Promise<Existing> {
  const offeredAt = utcText(plan.offeredAtMs);
  const codes = plan.modules.map((module) => module.code);
  const values = [correlationId, codes, offeredAt];
  const foreign = await pool.query<Foreign>(
    `select ce_type, key, ce_time from refold.events
     where recorded_at >= $3::timestamp and not ${own} order by position limit 1`,
    values,
  );
  const first = foreign.rows[0];
  if (first) throw refusal(first, offeredAt);
  const reached = await pool.query<{ reached: string | null }>(
    `select extract(epoch from max(recorded_at)) * 1000 as reached from refold.events
     where ce_correlationid = $1`,
    [correlationId],
  );
  const text = reached.rows[0]?.reached;
  return { reachedMs: text === null || text === undefined ? undefined : Number(text) };
}

function refusal({ ce_type, key, ce_time }: Foreign, offeredAt: string): CommandFailure {
  return new CommandFailure(
    "refused",
    `The store holds events of others that are later than the import's beginning (${offeredAt}), ` +
      `the first a ${ce_type} of ${key} at ${ce_time}: import into a data folder of its own (--data).`,
  );
}

/** As a `timestamp` in UTC. */
const utcText = (ms: number): string => new Date(ms).toISOString().replace("Z", "");
