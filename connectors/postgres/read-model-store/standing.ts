import type { StandingPartition } from "../../../engine/ports/read-model-snapshots.ts";
import { ownedPartition, type PositionRow } from "../positions/stored-position.ts";

export type StandingRow = PositionRow & { readonly revision: string };

/**
 * Where the generation $2 of the projection $1 stands. Rows change without a position that moves when dead letters are settled; letters that are settled
 * are kept, or purged, and either tells.
 */
export const standingStatement = `select p.*, coalesce(l.settled, '') as revision
  from refold.positions p left join (
    select topic, partition, count(*) || ' ' || max(settled_at) as settled
    from refold.dead_letters
    where consumer = $1 and generation = $2 and disposition in ('redriven', 'discarded')
    group by topic, partition
  ) l using (topic, partition)
  where p.consumer = $1 and p.generation = $2 order by p.topic, p.partition`;

export function standingPartition(row: StandingRow): StandingPartition {
  const { last_recorded_at_ms: last } = row;
  return {
    ...ownedPartition(row),
    lastRecordedAtMs: last === null ? undefined : Number(last),
    revision: row.revision,
  };
}
