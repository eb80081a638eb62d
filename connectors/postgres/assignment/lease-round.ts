import type { Pool, PoolClient } from "pg";

import { planLeases, type Lease } from "../../../engine/lease-plan.ts";
import { int4Array } from "../binary-array.ts";
import { commit, inTransaction } from "../transaction.ts";
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
 * One round of a member: it renews what it holds, forgets who is gone, and takes a step towards its
 * fair share. Rounds of one consumer come one by one, under an advisory lock.
 */
export function leaseRound(pool: Pool, round: LeaseRound): Promise<RoundResult> {
  return inTransaction(pool, `Renewing the leases of ${round.consumer}`, async (client) => {
    await takeTurn(client, round.consumer);
    const members = await renew(client, round);
    const { rows } = await client.query<Lease>(
      `select partition, owner, leaving from refold.leases
       where consumer = $1 and partition < $2 and expires_at > clock_timestamp()`,
      [round.consumer, round.partitions],
    );
    const plan = planLeases({
      me: round.member,
      members,
      partitions: round.partitions,
      leases: rows,
    });
    await apply(client, round, plan);
    const mine = rows.filter(({ owner, leaving }) => owner === round.member && !leaving);
    const kept = mine.map(({ partition }) => partition).filter((of) => !plan.leave.includes(of));
    const owned = [...kept, ...plan.take].sort((a, b) => a - b);
    const share = Math.floor(round.partitions / members.length);
    return commit({ owned, waiting: owned.length < share || plan.leave.length > 0 });
  });
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
    await takeTurn(client, of.consumer);
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
    await takeTurn(client, of.consumer);
    const values = [of.consumer, of.member];
    await client.query("delete from refold.leases where consumer = $1 and owner = $2", values);
    await client.query("delete from refold.members where consumer = $1 and member = $2", values);
    return commit(undefined);
  });
}

/** A round takes milliseconds; while a frozen process is in one, leases of all others run out. */
const frozenAfterMs = 1_000;

async function takeTurn(client: PoolClient, consumer: string): Promise<void> {
  await client.query(
    `select pg_advisory_xact_lock(hashtextextended($1, 0)),
       set_config('idle_in_transaction_session_timeout', $2, true)`,
    [`refold leases ${consumer}`, String(frozenAfterMs)],
  );
}

const until = (parameter: string) =>
  `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;

/**
 * Is the process of this row of `refold.members` gone, before its time is over? Its lock can be had
 * (in the mode that lets several ask at once, until the end of the transaction): its connection has
 * ended. That alone isn't enough, since a process makes a lost connection anew: it is late, too.
 */
export const isGone = (row: string): string =>
  `case when ${row}.session_lock is null or ${row}.late_at > clock_timestamp() then false
    else pg_try_advisory_xact_lock_shared(${row}.session_lock) end`;

/** What is leaving isn't renewed: it is free after one lease at the latest. */
async function renew(client: PoolClient, round: LeaseRound): Promise<string[]> {
  const { consumer, member, leaseMs, session } = round;
  await client.query(
    `insert into refold.members (consumer, member, expires_at, session_lock, late_at)
     values ($1, $2, ${until("$3")}, $4::int8, ${until("$5")})
     on conflict (consumer, member) do update set
       expires_at = excluded.expires_at, session_lock = excluded.session_lock,
       late_at = excluded.late_at`,
    [consumer, member, leaseMs, session?.lock.toString(), session?.silentMs],
  );
  await client.query(
    `update refold.leases set expires_at = ${until("$3")}
     where consumer = $1 and owner = $2 and not leaving`,
    [consumer, member, leaseMs],
  );
  await shortenFarLeases(client, round);
  await forgetDead(client, round);
  const { rows } = await client.query<{ member: string }>(
    "select member from refold.members where consumer = $1",
    [consumer],
  );
  return rows.map(({ member }) => member);
}

/** Leases of who is gone before its time are over with it; those of the others run out by themselves. */
async function forgetDead(client: PoolClient, { consumer, member }: LeaseRound): Promise<void> {
  await client.query(
    `with dead as (
       delete from refold.members m
       where consumer = $1 and member <> $2 and (expires_at <= clock_timestamp() or ${isGone("m")})
       returning member
     )
     update refold.leases l set expires_at = least(expires_at, clock_timestamp())
     from dead where l.consumer = $1 and l.owner = dead.member`,
    [consumer, member],
  );
}

/** Leases of others may be longer than ours, within reason. */
export const leasesAheadMax = 4;

/**
 * When the database's clock went back, what was given before it would last longer by the jump, and
 * partitions of the dead would wait as long. The living renew theirs; nobody's lasts longer from
 * now on than a few leases.
 */
async function shortenFarLeases(client: PoolClient, round: LeaseRound): Promise<void> {
  const values = [round.consumer, round.leaseMs * leasesAheadMax];
  for (const table of ["refold.members", "refold.leases"]) {
    await client.query(
      `update ${table} set expires_at = ${until("$2")}
       where consumer = $1 and expires_at > ${until("$2")}`,
      values,
    );
  }
}

async function apply(
  client: PoolClient,
  round: LeaseRound,
  plan: { readonly take: readonly number[]; readonly leave: readonly number[] },
): Promise<void> {
  const { consumer, member, leaseMs } = round;
  if (plan.leave.length > 0) {
    await client.query(
      `update refold.leases set leaving = true
       where consumer = $1 and owner = $2 and partition = any($3::int4[])`,
      [consumer, member, int4Array(plan.leave)],
    );
  }
  if (plan.take.length > 0) {
    await client.query(
      `insert into refold.leases as l (consumer, partition, owner, expires_at)
       select $1, partition, $2, ${until("$3")} from unnest($4::int4[]) as taken (partition)
       on conflict (consumer, partition) do update set
         owner = excluded.owner, epoch = l.epoch + 1, leaving = false,
         expires_at = excluded.expires_at`,
      [consumer, member, leaseMs, int4Array(plan.take)],
    );
  }
}
