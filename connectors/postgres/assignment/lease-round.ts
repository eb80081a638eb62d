import type { Pool, PoolClient } from "pg";

import { invariant } from "../../../engine/errors.ts";
import { planLeases, type Lease, type LeasePlan } from "../../../engine/lease-plan.ts";
import { float8Array, int4Array, int8Array, textArray } from "../binary-array.ts";
import { allAnswered, commit, inTransaction } from "../transaction.ts";
import type { Session } from "./presence.ts";

export interface LeaseRound {
  readonly consumer: string;
  readonly member: string;
  readonly partitions: number;
  readonly leaseMs: number;
  /** Left out: others wait for its leases to run out when it is gone. */
  readonly session?: Session | undefined;
}

export interface RoundResult {
  readonly owned: readonly number[];
  /** Others hold or drain what this member should have: look again soon. */
  readonly waiting: boolean;
}

/**
 * One round of a member in each of several consumers: it renews what it holds, forgets who is gone,
 * and takes a step towards its fair share. Rounds of one consumer come one by one, under an advisory
 * lock; those of a process that starts are taken together, so that it waits for the database twice
 * and not ten times for each.
 *
 * @param rounds Of different consumers.
 * @returns A result for each, in their order.
 */
export function leaseRounds(
  pool: Pool,
  rounds: readonly LeaseRound[],
): Promise<readonly RoundResult[]> {
  const consumers = rounds.map(({ consumer }) => consumer);
  return inTransaction(pool, `Renewing the leases of ${consumers.join(", ")}`, async (client) => {
    const [, , , , , , { rows: members }, { rows: leases }] = await allAnswered([
      takeTurns(client, consumers),
      ...renewed(client, rounds),
      client.query<MemberRow>(
        "select consumer, member from refold.members where consumer = any($1::text[])",
        [textArray(consumers)],
      ),
      client.query<LeaseRow>(
        `select consumer, partition, owner, leaving from refold.leases
         where consumer = any($1::text[]) and expires_at > clock_timestamp()`,
        [textArray(consumers)],
      ),
    ]);
    const planned = rounds.map((round) => plannedOf(round, { members, leases }));
    return commit(applied(client, planned).then(() => planned.map(resultOf)));
  });
}

/** The same of one consumer. */
export async function leaseRound(pool: Pool, round: LeaseRound): Promise<RoundResult> {
  const [result] = await leaseRounds(pool, [round]);
  invariant(result !== undefined, "A round has a result.");
  return result;
}

interface MemberRow {
  readonly consumer: string;
  readonly member: string;
}

interface LeaseRow extends Lease {
  readonly consumer: string;
}

interface PlannedRound extends LeasePlan {
  readonly round: LeaseRound;
  readonly members: number;
  /** What it held before. */
  readonly held: readonly number[];
}

function plannedOf(
  round: LeaseRound,
  all: { readonly members: readonly MemberRow[]; readonly leases: readonly LeaseRow[] },
): PlannedRound {
  const { consumer, member: me, partitions } = round;
  const members = all.members.filter((one) => one.consumer === consumer).map((one) => one.member);
  const leases = all.leases.filter(
    (one) => one.consumer === consumer && one.partition < partitions,
  );
  const mine = leases.filter(({ owner, leaving }) => owner === me && !leaving);
  const held = mine.map(({ partition }) => partition);
  return {
    round,
    members: members.length,
    held,
    ...planLeases({ me, members, partitions, leases }),
  };
}

function resultOf({ round, members, held, take, leave }: PlannedRound): RoundResult {
  const kept = held.filter((partition) => !leave.includes(partition));
  const owned = [...kept, ...take].sort((a, b) => a - b);
  const share = Math.floor(round.partitions / members);
  return { owned, waiting: owned.length < share || leave.length > 0 };
}

/**
 * Forgets all owners. Only for who knows that none of them lives (by the lock of the data folder,
 * say): otherwise partitions would wait for the leases of a process that was killed to run out.
 */
export async function forgetOwners(pool: Pool): Promise<void> {
  await pool.query("delete from refold.leases");
  await pool.query("delete from refold.members");
}

/** Lets drained partitions go, at once free for others. */
export function releaseLeases(
  pool: Pool,
  of: Pick<LeaseRound, "consumer" | "member">,
  partitions: readonly number[],
): Promise<void> {
  return inTransaction(pool, `Releasing leases of ${of.consumer}`, async (client) => {
    await takeTurns(client, [of.consumer]);
    await client.query(
      `delete from refold.leases
       where consumer = $1 and owner = $2 and leaving and partition = any($3::int4[])`,
      [of.consumer, of.member, int4Array(partitions)],
    );
    return commit(undefined);
  });
}

/** Leaves the group with everything it holds. */
export function leaveGroup(pool: Pool, of: Pick<LeaseRound, "consumer" | "member">): Promise<void> {
  return inTransaction(pool, `Leaving the group of ${of.consumer}`, async (client) => {
    await takeTurns(client, [of.consumer]);
    const values = [of.consumer, of.member];
    await client.query("delete from refold.leases where consumer = $1 and owner = $2", values);
    await client.query("delete from refold.members where consumer = $1 and member = $2", values);
    return commit(undefined);
  });
}

/** A round takes milliseconds; while a frozen process is in one, leases of all others run out. */
const frozenAfterMs = 1_000;

/** In the order of their names, so that two who take several don't wait for each other. */
function takeTurns(client: PoolClient, consumers: readonly string[]): Promise<unknown> {
  return client.query(
    `select pg_advisory_xact_lock(hashtextextended(turn, 0)),
       set_config('idle_in_transaction_session_timeout', $2, true)
     from (select turn from unnest($1::text[]) as asked (turn) order by turn collate "C") in_order`,
    [textArray(consumers.map((consumer) => `refold leases ${consumer}`)), String(frozenAfterMs)],
  );
}

/**
 * Is the process of this row of `refold.members` gone, before its time is over? Its lock can be had
 * (in the mode that lets several ask at once, until the end of the transaction): its connection has
 * ended. That alone isn't enough, since a process makes a lost connection anew: it is late, too.
 */
export const isGone = (row: string): string =>
  `case when ${row}.session_lock is null or ${row}.late_at > clock_timestamp() then false
    else pg_try_advisory_xact_lock_shared(${row}.session_lock) end`;

/**
 * What is leaving isn't renewed: it is free after one lease at the latest. Each is a statement of its
 * own, which sees what those before it have done.
 */
function renewed(client: PoolClient, rounds: readonly LeaseRound[]) {
  const consumers = textArray(rounds.map(({ consumer }) => consumer));
  const members = textArray(rounds.map(({ member }) => member));
  const leasesMs = float8Array(rounds.map(({ leaseMs }) => leaseMs));
  const asked = "unnest($1::text[], $2::text[], $3::float8[]) as a (consumer, member, lease_ms)";
  const until = "clock_timestamp() + a.lease_ms * interval '1 millisecond'";
  const own = client.query(
    `insert into refold.members (consumer, member, expires_at, session_lock, late_at)
     select consumer, member, ${until}, session_lock,
       clock_timestamp() + silent_ms * interval '1 millisecond'
     from unnest($1::text[], $2::text[], $3::float8[], $4::int8[], $5::float8[])
       as a (consumer, member, lease_ms, session_lock, silent_ms)
     on conflict (consumer, member) do update set
       expires_at = excluded.expires_at, session_lock = excluded.session_lock,
       late_at = excluded.late_at`,
    [
      consumers,
      members,
      leasesMs,
      int8Array(rounds.map(({ session }) => session?.lock)),
      float8Array(rounds.map(({ session }) => session?.silentMs)),
    ],
  );
  const leases = client.query(
    `update refold.leases l set expires_at = ${until} from ${asked}
     where l.consumer = a.consumer and l.owner = a.member and not l.leaving`,
    [consumers, members, leasesMs],
  );
  return [
    own,
    leases,
    shortenFar(client, "refold.members", { consumers, leasesMs }),
    shortenFar(client, "refold.leases", { consumers, leasesMs }),
    forgetDead(client, { consumers, members }),
  ] as const;
}

/** Leases of who is gone before its time are over with it; those of the others run out by themselves. */
function forgetDead(
  client: PoolClient,
  { consumers, members }: { readonly consumers: Buffer; readonly members: Buffer },
): Promise<unknown> {
  return client.query(
    `with dead as (
       delete from refold.members m
       using unnest($1::text[], $2::text[]) as a (consumer, member)
       where m.consumer = a.consumer and m.member <> a.member
         and (m.expires_at <= clock_timestamp() or ${isGone("m")})
       returning m.consumer, m.member
     )
     update refold.leases l set expires_at = least(expires_at, clock_timestamp())
     from dead where l.consumer = dead.consumer and l.owner = dead.member`,
    [consumers, members],
  );
}

/** Leases of others may be longer than ours, within reason. */
export const leasesAheadMax = 4;

/**
 * When the database's clock went back, what was given before it would last longer by the jump, and
 * partitions of the dead would wait as long. The living renew theirs; nobody's lasts longer from
 * now on than a few leases.
 */
function shortenFar(
  client: PoolClient,
  table: "refold.members" | "refold.leases",
  { consumers, leasesMs }: { readonly consumers: Buffer; readonly leasesMs: Buffer },
): Promise<unknown> {
  const ahead = `clock_timestamp() + a.lease_ms * ${leasesAheadMax} * interval '1 millisecond'`;
  return client.query(
    `update ${table} far set expires_at = ${ahead}
     from unnest($1::text[], $2::float8[]) as a (consumer, lease_ms)
     where far.consumer = a.consumer and far.expires_at > ${ahead}`,
    [consumers, leasesMs],
  );
}

/** Sends the steps that were planned. */
async function applied(client: PoolClient, planned: readonly PlannedRound[]): Promise<void> {
  const left = planned.flatMap(({ round, leave }) =>
    leave.map((partition) => ({ round, partition })),
  );
  const taken = planned.flatMap(({ round, take }) =>
    take.map((partition) => ({ round, partition })),
  );
  const steps: Promise<unknown>[] = [];
  if (left.length > 0) {
    steps.push(
      client.query(
        `update refold.leases l set leaving = true
         from unnest($1::text[], $2::text[], $3::int4[]) as a (consumer, member, partition)
         where l.consumer = a.consumer and l.owner = a.member and l.partition = a.partition`,
        stepValues(left),
      ),
    );
  }
  if (taken.length > 0) {
    steps.push(
      client.query(
        `insert into refold.leases as l (consumer, partition, owner, expires_at)
         select consumer, partition, member,
           clock_timestamp() + lease_ms * interval '1 millisecond'
         from unnest($1::text[], $2::text[], $3::int4[], $4::float8[])
           as a (consumer, member, partition, lease_ms)
         on conflict (consumer, partition) do update set
           owner = excluded.owner, epoch = l.epoch + 1, leaving = false,
           expires_at = excluded.expires_at`,
        [...stepValues(taken), float8Array(taken.map(({ round }) => round.leaseMs))],
      ),
    );
  }
  await allAnswered(steps);
}

const stepValues = (
  steps: readonly { readonly round: LeaseRound; readonly partition: number }[],
): Buffer[] => [
  textArray(steps.map(({ round }) => round.consumer)),
  textArray(steps.map(({ round }) => round.member)),
  int4Array(steps.map(({ partition }) => partition)),
];
