import { expect, test } from "vitest";

import { PostgresAssignment } from "../../connectors/postgres/assignment/index.ts";
import {
  insertDeadLetters,
  PostgresDeadLetters,
  PostgresLetterFeed,
  settleDeadLetters,
} from "../../connectors/postgres/dead-letters/index.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { commit, inTransaction } from "../../connectors/postgres/transaction.ts";
import { PostgresStatusBoard } from "../../connectors/postgres/status-board/index.ts";
import { assignmentConformance, follow, until } from "../conformance/assignment.ts";
import { deadLettersConformance } from "../conformance/dead-letters.ts";
import { statusBoardConformance } from "../conformance/status-board.ts";
import { deadLetter, freshName } from "../conformance/store-samples.ts";
import { storesDatabase } from "./postgres-stores.ts";

deadLettersConformance("in Postgres", async () => {
  const database = await storesDatabase();
  const { pool } = database;
  return {
    deadLetters: new PostgresDeadLetters({ pool }),
    feed: new PostgresLetterFeed({ pool }),
    elapse: async (ms) => {
      const earlier = `filled_at - interval '${ms} milliseconds'`;
      await pool.query(`update refold.letter_orders set filled_at = ${earlier}`);
    },
    write: (letters) =>
      inTransaction(pool, "Writing", async (client) => {
        await insertDeadLetters(client, letters);
        return commit(undefined);
      }),
    settle: (settlements) =>
      inTransaction(pool, "Settling", async (client) => {
        const advances = [{ topic: "t", partition: 0 }];
        await settleDeadLetters(client, settlements, { owner: "test", advances });
        return commit(undefined);
      }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});

test("a letter whose error text Postgres can't hold is written all the same", async () => {
  await using database = await storesDatabase();
  const client = await database.pool.connect();
  await insertDeadLetters(client, [deadLetter("c", { message: "a\0b\ud800", stack: "\0" })]);
  client.release();
  const [letter] = await new PostgresDeadLetters(database).list({ limit: 1 });
  expect(letter).toMatchObject({ message: "a\uFFFDb\uFFFD", stack: "\uFFFD" });
});

statusBoardConformance("in Postgres", async () => {
  const database = await storesDatabase();
  return {
    board: new PostgresStatusBoard({ pool: database.pool }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});

test("reports of an instance that has been silent for long are gone", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const board = new PostgresStatusBoard({ pool, silentMs: 60_000 });
  await pool.query(`insert into refold.task_status
    values ('old', 'c', 'projection', 1, 't', 0, 'running', 0, 0, 0, null, null, null,
      now() - interval '2 minutes')`);
  expect(await board.read()).toHaveLength(1);
  await board.report("new", []);
  expect(await board.read()).toEqual([]);
});

const fast = { leaseMs: 600, heartbeatMs: 60, waitingMs: 10 };

assignmentConformance("in Postgres", async () => {
  const database = await storesDatabase();
  return {
    assignment: () => new PostgresAssignment({ pool: database.pool, leaseMs: 30_000 }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});

test("a dead owner's partitions are taken when its leases run out, and not before", async () => {
  await using database = await storesDatabase();
  const consumer = freshName();
  const pool = makePool({ url: database.url, name: "dying" });
  const failures: unknown[] = [];
  const onError = (error: unknown) => failures.push(error);
  const dying = await new PostgresAssignment({ pool, ...fast, onError }).join(consumer, 3);
  // The process dies: its renewals fail from now on.
  await pool.end();
  const ended = performance.now();
  const assignment = new PostgresAssignment({ pool: database.pool, ...fast });
  await using heir = follow(await assignment.join(consumer, 3), "at once");
  await until(() => heir.owned().length === 3);
  expect(performance.now() - ended).toBeGreaterThan(fast.leaseMs - fast.heartbeatMs - 100);
  expect(heir.seen()[0]).toEqual([]);
  const { rows } = await database.pool.query("select epoch from refold.leases");
  expect(rows.map(({ epoch }) => epoch)).toEqual([2n, 2n, 2n]);
  await until(() => failures.length > 0);
  await expect(dying[Symbol.asyncDispose]()).rejects.toMatchObject({
    code: "database-unavailable",
  });
});

test("what is never drained goes to the next owner when its lease runs out", async () => {
  await using database = await storesDatabase();
  const consumer = freshName();
  const assignment = new PostgresAssignment({ pool: database.pool, ...fast });
  await using stuck = follow(await assignment.join(consumer, 2), "never");
  await until(() => stuck.owned().length === 2);
  await using next = follow(await assignment.join(consumer, 2), "at once");
  await until(() => next.owned().length === 1);
  expect(stuck.owned()).toHaveLength(1);
});

test("leases that are renewed too seldom are refused", async () => {
  await using database = await storesDatabase();
  const make = () => new PostgresAssignment({ pool: database.pool, leaseMs: 1_000 });
  expect(make).toThrow(/at most a third of the lease/);
});
