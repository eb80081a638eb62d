import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { PostgresAssignment } from "../../connectors/postgres/assignment/index.ts";
import { PostgresEventStore } from "../../connectors/postgres/event-store/index.ts";
import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { engineMigrations } from "../../connectors/postgres/schema.ts";
import type { Membership } from "../../engine/ports/assignment.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { migrations as captureMigrations } from "../../connectors/capture/index.ts";
import { migrations as registryMigrations } from "../../connectors/registry/index.ts";
import { until } from "../e2e/refold-process.ts";
import { command, event } from "../event-store/events.ts";
import { databaseOfTest } from "../support/database.ts";
import { installJumpingClock, jumpTo } from "./jumping-clock.ts";

/** A database whose clock can be moved; connections of the pool see it. */
async function jumpingPool(): Promise<Pool> {
  const url = await databaseOfTest();
  const first = makePool({ url, name: "test", connectionsMax: 1 });
  await migrate(
    first,
    engineMigrations({ capture: captureMigrations, registry: registryMigrations }),
  );
  await installJumpingClock(url, first);
  await first.end();
  const pool = makePool({ url, name: "test", connectionsMax: 8 });
  onTestFinished(() => pool.end());
  return pool;
}

test("recorded times never go back in a lane, and sequences have no gap, whatever the clock does", async () => {
  const pool = await jumpingPool();
  const store = new PostgresEventStore({ pool, metrics: noMetrics });
  const times: number[] = [];
  const sequences: bigint[] = [];
  const startMs = Date.now();
  for (const ahead of ["0", "-1 hour", "2 hours", "1 hour", "-3 days", "3 hours"]) {
    await jumpTo(pool, ahead);
    const request = { events: [event("Seen", ["module:a"])], condition: [] };
    const verdict = await store.append(request, command);
    if (verdict.outcome !== "appended") throw new Error(verdict.outcome);
    times.push(...verdict.events.map(({ recordedAtMs }) => recordedAtMs));
    sequences.push(...verdict.events.map(({ sequence }) => sequence));
  }
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(sequences).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
  const hour = 3_600_000;
  // The clock was believed where it went forward, and where it went back, the lane's last.
  expect(times[1]).toBe(times[0]);
  expect(Math.floor(((times[2] ?? 0) - startMs) / hour)).toBe(2);
  expect(times[4]).toBe(times[2]);
  expect(Math.floor(((times[5] ?? 0) - startMs) / hour)).toBe(3);
});

const leases = { leaseMs: 300, heartbeatMs: 50, waitingMs: 10 };

/** What a member owns now. */
class Owned {
  now: ReadonlySet<number> = new Set();
  readonly #member: Membership;

  constructor(member: Membership) {
    this.#member = member;
    void this.#follow();
  }

  async #follow(): Promise<void> {
    for await (const partitions of this.#member.changes) this.now = partitions;
  }
}

const untilOwned = (owned: Owned, count: number): Promise<true> =>
  until(
    () => (owned.now.size === count ? true : undefined),
    10_000,
    () => `${count} partitions owned instead of ${owned.now.size}`,
  );

for (const jump of ["-1 hour", "1 hour"]) {
  test(`a member keeps its partitions when the database's clock jumps by ${jump}, and a dead one's come free`, async () => {
    const pool = await jumpingPool();
    const assignment = new PostgresAssignment({ pool, ...leases });
    await using member = await assignment.join("board", 4);
    const owned = new Owned(member);
    await untilOwned(owned, 4);
    // One that died at work, with its last renewal by the clock before the jump.
    await pool.query(`
      insert into refold.members (consumer, member, expires_at)
      values ('board', 'dead', clock_timestamp() + interval '300 ms');
      update refold.leases set owner = 'dead', expires_at = clock_timestamp() + interval '300 ms'
      where consumer = 'board' and partition < 2`);
    await jumpTo(pool, jump);
    await until(
      async () => {
        const { rows } = await pool.query("select distinct member from refold.members");
        return rows.length === 1 ? true : undefined;
      },
      10_000,
      () => "the dead member forgotten",
    );
    await until(
      async () => {
        const { rows } = await pool.query<{ partition: number }>(
          "select partition from refold.leases where owner <> 'dead'",
        );
        return rows.length === 4 ? true : undefined;
      },
      10_000,
      () => "the dead member's partitions taken",
    );
    await untilOwned(owned, 4);
  });
}
