import { expect, test } from "vitest";

import { PostgresAssignment } from "../../connectors/postgres/assignment/index.ts";
import { leaseRounds } from "../../connectors/postgres/assignment/lease-round.ts";
import { follow, until } from "../conformance/assignment.ts";
import { storesDatabase } from "./postgres-stores.ts";

const consumers = Array.from({ length: 8 }, (_, at) => `consumer-${at}`);

test("a process that joins many groups at once has each one's partitions, in few transactions", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  let transactions = 0;
  pool.on("acquire", () => (transactions += 1));
  const assignment = new PostgresAssignment({ pool, heartbeatMs: 1_000 });
  const joined = await Promise.all(
    consumers.map((consumer, at) => assignment.join(consumer, at + 1)),
  );
  // The first may go alone, before the others have come.
  expect(transactions).toBeLessThanOrEqual(2);
  for (const [at, membership] of joined.entries()) {
    await using member = follow(membership, "at once");
    await until(() => member.owned().length === at + 1);
    expect(member.owned()).toEqual(Array.from({ length: at + 1 }, (_, partition) => partition));
  }
});

test("two members of one consumer that join together share its partitions", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const assignment = new PostgresAssignment({ pool, heartbeatMs: 50, waitingMs: 10 });
  const [first, second] = await Promise.all([
    assignment.join("seats", 4),
    assignment.join("seats", 4),
  ]);
  await using one = follow(first, "at once");
  await using other = follow(second, "at once");
  await until(() => one.owned().length === 2 && other.owned().length === 2);
  expect([...one.owned(), ...other.owned()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
});

test("processes that take rounds of the same consumers in another order don't lock each other out", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const rounds = (member: string) =>
    consumers.map((consumer) => ({ consumer, member, partitions: 4, leaseMs: 5_000 }));
  const taken = Array.from({ length: 20 }, (_, at) =>
    leaseRounds(pool, at % 2 === 0 ? rounds("one") : rounds("other").toReversed()),
  );
  for (const results of await Promise.all(taken)) expect(results).toHaveLength(consumers.length);
});
