import type { Pool } from "pg";

import type { Clock } from "../../../engine/ports/clock.ts";
import { sessionEnd } from "../../../processors/sessions/index.ts";
import { CommandFailure } from "../../command-failure.ts";
import { behindText, type Counted } from "../view/sight.ts";

/** What is still under way, by what it is; a session that lasts is nothing to wait for. */
const underWayText = `
  select * from (
    select 'effect to perform' as name, count(*)::integer as n from refold.open_effects
    union all
    select 'deadline ' || name, count(*)::integer from refold.deadlines where name <> $1 group by name
    union all
    select 'outcome that the provider has to tell', count(*)::integer
      from sandbox.charges where tell_at is not null
    union all
    select 'event that is not in the log', (
      (select coalesce(sum(last_sequence), 0) from refold.lanes)
      - (select coalesce(sum(end_offset), 0) from refold.log_partitions
         join refold.log_topics t using (topic_number)
         where exists (select from refold.lanes l where l.topic = t.name)))::integer
  ) as under_way where n > 0`;

export interface QuietOptions {
  readonly pool: Pick<Pool, "query">;
  readonly clock: Clock;
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** Hears what is left at each look. */
  readonly tell: (left: readonly Counted[]) => void;
}

/** What is applied can lead to more: only two looks in a row that find nothing are the end. */
const looksNeeded = 2;
const pauseMs = 250;

/**
 * Resolves when nothing is under way any more: every hold has ended, every effect is performed, and
 * every consumer has applied the whole log.
 *
 * @throws CommandFailure naming what is left when the time is up.
 */
export async function untilQuiet(options: QuietOptions): Promise<void> {
  const { pool, clock, patienceMs, signal, tell } = options;
  const endsMs = clock.monotonicMs() + patienceMs;
  for (let found = 0; found < looksNeeded && !signal.aborted; await clock.sleep(pauseMs, signal)) {
    const left = await underWay(pool);
    found = left.length === 0 ? found + 1 : 0;
    tell(left);
    if (left.length > 0 && clock.monotonicMs() > endsMs) throw stillUnderWay(left, patienceMs);
  }
}

async function underWay(pool: QuietOptions["pool"]): Promise<readonly Counted[]> {
  const open = await pool.query<Counted>(underWayText, [sessionEnd.name]);
  const behind = await pool.query<Counted>(behindText);
  const records = behind.rows.map(({ name, n }) => ({ name: `record that ${name} lacks`, n }));
  return [...open.rows, ...records];
}

function stillUnderWay(left: readonly Counted[], patienceMs: number): CommandFailure {
  return new CommandFailure(
    "failed",
    `After ${patienceMs / 1_000} s of quiet there is still something under way: ` +
      `${left.map(({ name, n }) => `${n} x ${name}`).join(", ")}. ` +
      "Run the demo with --keep, and look at refold status with the folder that it names.",
  );
}
