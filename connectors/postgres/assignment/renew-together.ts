import type { Pool } from "pg";

import { type Lease, planLeases } from "../../../engine/lease-plan.ts";
import { float8Array, int8Array, textArray } from "../binary-array.ts";
import { runStatement } from "../transaction.ts";
import { isGone, leasesAheadMax, type LeaseRound } from "./lease-round.ts";

interface StandingRow {
  readonly consumer: string;
  readonly member: string;
  /** Null: the row is a member's. */
  readonly partition: number | null;
  readonly leaving: boolean;
  /** `odd`: a round has to put it right. */
  readonly state: "mine" | "alive" | "odd";
}

/**
 * Renews without the consumers' turns: only rows of the members themselves change. (A lease that ran
 * out may be taken in a round at this very moment; its owner hears of it a beat later, and what it
 * does until then is fenced.) Rows that somebody else's round has locked are passed over, so that nobody waits here;
 * their member takes a round of its own then.
 */
const text = `with asked as materialized (
    select * from unnest($1::text[], $2::text[], $3::float8[], $4::int8[], $5::float8[])
      as asked (consumer, member, lease_ms, session_lock, silent_ms)
  ), my_members as (
    update refold.members m
    set expires_at = clock_timestamp() + a.lease_ms * interval '1 millisecond',
      session_lock = a.session_lock,
      late_at = clock_timestamp() + a.silent_ms * interval '1 millisecond'
    from (select a.* from refold.members m join asked a
      on m.consumer = a.consumer and m.member = a.member
      order by 1, 2 for update of m skip locked) a
    where m.consumer = a.consumer and m.member = a.member
    returning m.consumer, m.member
  ), my_leases as (
    update refold.leases l
    set expires_at = clock_timestamp() + a.lease_ms * interval '1 millisecond'
    from (select l.consumer, l.partition, a.lease_ms from refold.leases l join asked a
      on l.consumer = a.consumer and l.owner = a.member and not l.leaving
      order by 1, 2 for update of l skip locked) a
    where l.consumer = a.consumer and l.partition = a.partition
    returning l.consumer, l.partition
  ), consumers as materialized (
    select consumer, min(lease_ms) as lease_ms from asked group by consumer
  )
  select m.consumer, m.member, null::integer as partition, false as leaving,
    case when mine.member is not null then 'mine' when ${isGone("m")} then 'odd'
      else ${stateOf("m")} end as state
  from consumers c join refold.members m on m.consumer = c.consumer
  left join my_members mine on mine.consumer = m.consumer and mine.member = m.member
  union all
  select l.consumer, l.owner, l.partition, l.leaving,
    case when mine.partition is not null then 'mine' else ${stateOf("l")} end
  from consumers c join refold.leases l on l.consumer = c.consumer
  left join my_leases mine on mine.consumer = l.consumer and mine.partition = l.partition`;

function stateOf(row: string): string {
  const ahead = `c.lease_ms * ${leasesAheadMax} * interval '1 millisecond'`;
  return `case when ${row}.expires_at <= clock_timestamp()
    or ${row}.expires_at > clock_timestamp() + ${ahead} then 'odd' else 'alive' end`;
}

/**
 * One statement for all memberships of a process. @returns of members at rest their partitions: who
 * has its fair share, in a group where nobody comes, goes, or has left anything behind.
 */
export async function renewTogether(
  pool: Pool,
  rounds: readonly LeaseRound[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const rows = await runStatement<StandingRow>(pool, {
    doing: "Renewing leases",
    stage: "preparing",
    name: "refold.renew_leases",
    text,
    values: [
      textArray(rounds.map(({ consumer }) => consumer)),
      textArray(rounds.map(({ member }) => member)),
      float8Array(rounds.map(({ leaseMs }) => leaseMs)),
      int8Array(rounds.map(({ session }) => session?.lock)),
      float8Array(rounds.map(({ session }) => session?.silentMs)),
    ],
  });
  const groups = Map.groupBy(rows, ({ consumer }) => consumer);
  const atRest = new Map<string, readonly number[]>();
  for (const round of rounds) {
    const owned = restOf(round, groups.get(round.consumer) ?? []);
    if (owned) atRest.set(round.member, owned);
  }
  return atRest;
}

/** undefined: a round would change something. */
function restOf(round: LeaseRound, group: readonly StandingRow[]): readonly number[] | undefined {
  const { member: me, partitions } = round;
  if (group.some(({ state }) => state === "odd")) return undefined;
  const ofMine = group.filter(({ member, leaving }) => member === me && !leaving);
  // What somebody else has locked wasn't renewed: its round is not over.
  const isWhole = ofMine.every(({ state }) => state === "mine");
  const isMember = ofMine.some(({ partition }) => partition === null);
  if (!isWhole || !isMember) return undefined;
  const members = group.filter(({ partition }) => partition === null).map(({ member }) => member);
  const leases = leasesOf(group).filter(({ partition }) => partition < partitions);
  const { take, leave } = planLeases({ me, members, partitions, leases });
  const owned = leases.filter(({ owner, leaving }) => owner === me && !leaving);
  const share = Math.floor(partitions / members.length);
  if (take.length + leave.length > 0 || owned.length < share) return undefined;
  return owned.map(({ partition }) => partition).sort((a, b) => a - b);
}

const leasesOf = (group: readonly StandingRow[]): Lease[] =>
  group.flatMap(({ member: owner, partition, leaving }) =>
    partition === null ? [] : [{ partition, owner, leaving }],
  );
