import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { PostgresAssignment } from "../../connectors/postgres/assignment/index.ts";
import { leaseRound } from "../../connectors/postgres/assignment/lease-round.ts";
import { follow, until } from "../conformance/assignment.ts";
import { freshName } from "../conformance/store-samples.ts";
import { storesDatabase } from "./postgres-stores.ts";

const all = [0, 1, 2, 3];

interface Owner {
  readonly url: string;
  readonly consumer: string;
  readonly leaseMs: number;
}

/** A process of its own that has all four partitions. */
async function owningProcess({ url, consumer, leaseMs }: Owner): Promise<ChildProcess> {
  const program = new URL("./member-child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, url, consumer, String(leaseMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

test("a killed process' partitions are free long before its leases would have run out", async () => {
  await using database = await storesDatabase();
  const { url, pool } = database;
  const consumer = freshName();
  const child = await owningProcess({ url, consumer, leaseMs: 600_000 });
  const killed = once(child, "exit");
  child.kill("SIGKILL");
  await killed;
  const assignment = new PostgresAssignment({ pool, leaseMs: 600_000 });
  await using heir = follow(await assignment.join(consumer, 4), "at once");
  await until(() => heir.owned().length === 4);
});

test("a frozen process keeps its partitions until its leases run out", async () => {
  await using database = await storesDatabase();
  const { url, pool } = database;
  const consumer = freshName();
  const leaseMs = 2_000;
  const child = await owningProcess({ url, consumer, leaseMs });
  child.kill("SIGSTOP");
  const stoppedMs = performance.now();
  const assignment = new PostgresAssignment({ pool, leaseMs, heartbeatMs: 100, waitingMs: 10 });
  await using heir = follow(await assignment.join(consumer, 4), "at once");
  await until(() => heir.owned().length === 4);
  // Its last renewal was up to one heartbeat before, and the signal takes a moment.
  expect(performance.now() - stoppedMs).toBeGreaterThan(leaseMs - 500);
  expect(heir.seen()[0]).toEqual([]);
});

const locks = `select objid from pg_locks join pg_database d on d.oid = database
  where locktype = 'advisory' and objsubid = 1 and mode = 'ExclusiveLock'
    and datname = current_database()
    and pid in (select pid from pg_stat_activity where application_name = 'refold presence')`;

const held = async (pool: Pool): Promise<string[]> =>
  (await pool.query<{ objid: number }>(locks)).rows.map(({ objid }) => String(objid));

test("an owner whose connection is cut keeps its partitions, and shows that it lives again", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const consumer = freshName();
  // Nobody is late for as long as the test takes, however busy the machine is.
  const assignment = new PostgresAssignment({ pool, leaseMs: 60_000, heartbeatMs: 20_000 });
  const waiting = { pool, waitingMs: 10, leaseMs: 60_000, heartbeatMs: 10 };
  await using owner = follow(await assignment.join(consumer, 1), "at once");
  await until(() => owner.owned().length === 1);
  const [before] = await held(pool);
  await pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'refold presence'",
  );
  await expect.poll(() => held(pool)).toEqual([]);
  await using other = follow(await new PostgresAssignment(waiting).join(consumer, 1), "at once");
  await until(() => other.seen().length > 0);
  // It asks again and again, by its beat; the one that lives has told when it would be late.
  await expect.poll(async () => (await held(pool)).length).toBe(1);
  expect(await held(pool)).not.toEqual([before]);
  expect(other.owned()).toEqual([]);
  expect(owner.owned()).toEqual([0]);
});

test("a cut connection is made anew with a lock of its own, which the next renewal tells", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const assignment = new PostgresAssignment({ pool, heartbeatMs: 50, leaseMs: 60_000 });
  await using owner = follow(await assignment.join(freshName(), 1), "at once");
  await until(() => owner.owned().length === 1);
  const told = async (): Promise<bigint | null | undefined> =>
    (await pool.query<{ session_lock: bigint | null }>("select session_lock from refold.members"))
      .rows[0]?.session_lock;
  const before = await told();
  expect(before).toEqual(expect.any(BigInt));
  await pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'refold presence'",
  );
  await expect
    .poll(async () => {
      const now = await told();
      return typeof now === "bigint" && now !== before;
    })
    .toBe(true);
  expect(owner.owned()).toEqual([0]);
});

/** A member's round whose row says that it holds this lock. */
function roundOf(member: string, session?: { readonly lock: bigint; readonly silentMs: number }) {
  return { consumer: "seats", partitions: 4, leaseMs: 600_000, member, session };
}

test("who is late and holds no lock has no partitions any more; one of the two isn't enough", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const holder = await pool.connect();
  await holder.query("select pg_advisory_lock(7)");
  const late = { lock: 7n, silentMs: 0 };
  expect((await leaseRound(pool, roundOf("first", late))).owned).toEqual(all);
  const second = await leaseRound(pool, roundOf("second"));
  expect(second).toEqual({ owned: [], waiting: true });
  await holder.query("select pg_advisory_unlock(7)");
  holder.release();
  await leaseRound(pool, roundOf("first", { lock: 7n, silentMs: 600_000 }));
  expect((await leaseRound(pool, roundOf("second"))).owned).not.toEqual(all);
  await leaseRound(pool, roundOf("first", late));
  expect((await leaseRound(pool, roundOf("second"))).owned).toEqual(all);
});

test("the memberships of a process share one connection, which ends with the last of them", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const assignment = new PostgresAssignment({ pool });
  const memberships = await Promise.all(
    ["a", "b", "c"].map((consumer) => assignment.join(consumer, 2)),
  );
  expect(await held(pool)).toHaveLength(1);
  const [last, ...others] = memberships;
  for (const one of others) await one[Symbol.asyncDispose]();
  expect(await held(pool)).toHaveLength(1);
  await last?.[Symbol.asyncDispose]();
  await expect.poll(() => held(pool)).toEqual([]);
});
