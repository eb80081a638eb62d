import type { Pool } from "pg";
import { expect, test } from "vitest";

import { PostgresAssignment } from "../../connectors/postgres/assignment/index.ts";
import { leaseRound } from "../../connectors/postgres/assignment/lease-round.ts";
import { follow, until } from "../conformance/assignment.ts";
import { storesDatabase } from "./postgres-stores.ts";

/** A pool whose connections answer so many statements, and then nothing until it thaws. */
function freezing(pool: Pool, statements: number): { pool: Pool; thaw: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const connect = async (): Promise<unknown> => {
    const client = await pool.connect();
    let left = statements;
    return new Proxy(client, {
      get: (_, name) => {
        if (name === "query" && (left -= 1) < 0) return () => promise;
        const value: unknown = Reflect.get(client, name);
        return typeof value === "function" ? value.bind(client) : value;
      },
    });
  };
  const thaw = (): void => reject(new Error("The connection is gone."));
  return { pool: { connect } as unknown as Pool, thaw };
}

test("a worker that freezes in the middle of renewing its leases holds others up for less than a lease", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const round = { consumer: "seats", partitions: 4, leaseMs: 5_000 };
  const frozen = freezing(pool, 3);
  const ofFrozen = leaseRound(frozen.pool, { ...round, member: "frozen" });
  ofFrozen.catch(() => undefined);
  await expect
    .poll(
      async () =>
        (
          await pool.query(`select from pg_locks join pg_database d on d.oid = database
       where locktype = 'advisory' and datname = current_database()`)
        ).rowCount,
    )
    .toBe(1);
  const startMs = performance.now();
  const { owned } = await leaseRound(pool, { ...round, member: "living" });
  expect(performance.now() - startMs).toBeLessThan(3_000);
  expect(owned).toEqual([0, 1, 2, 3]);
  frozen.thaw();
  await expect(ofFrozen).rejects.toThrow("The connection is gone.");
});

test("a process whose first round is ended by the server, since it was too busy to go on, joins all the same", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const busy = freezing(pool, 3);
  let connections = 0;
  const connect = (): Promise<unknown> => {
    connections += 1;
    return connections === 1 ? busy.pool.connect() : pool.connect();
  };
  const query = pool.query.bind(pool);
  const firstFails = { connect, query, options: pool.options } as unknown as Pool;
  const joining = new PostgresAssignment({ pool: firstFails }).join("seats", 4);
  await expect.poll(() => connections).toBe(1);
  busy.thaw();
  await using member = follow(await joining, "at once");
  await until(() => member.owned().length === 4);
  expect(connections).toBeGreaterThan(1);
});
