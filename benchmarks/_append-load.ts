import type { Pool } from "pg";

import { PostgresEventStore } from "../connectors/postgres/event-store/event-store.ts";
import type { AppendRequest } from "../engine/ports/event-store.ts";
import { globalPosition } from "../engine/position.ts";

export interface AppendLoad {
  /** Correlation id of the events, and part of all their ids. */
  readonly round: string;
  /** Which of the processes that append in this round, from 0. */
  readonly process: number;
  readonly requests: number;
  /** Clients that wait at once. */
  readonly waiting: number;
}

export interface Appended {
  readonly appended: number;
  readonly conflicts: number;
}

const value = Buffer.alloc(200, 7);
const zero = globalPosition(0);
const type = "refold.seats.ModuleRegistered";

/** One request in so many is for a student whom each process registers: one of them may. */
const racedEvery = 100;

/** What is stored when each race has one winner. */
export const expectedEvents = (load: AppendLoad, processes: number): number => {
  const raced = Math.ceil(load.requests / racedEvery);
  return (load.requests - raced) * processes + raced;
};

/** An event of 200 bytes with three tags, under a condition of two items. */
function requestOf({ round, process }: AppendLoad, i: number): AppendRequest {
  const id = `${round}-${process}-${i}`;
  const module = `module:${round}-${i % 500}`;
  const student = `student:${i % racedEvery === 0 ? `${round}-${i}` : id}`;
  const registration = `registration:${id}`;
  return {
    events: [
      {
        id,
        type,
        topic: "module-events",
        partition: i % 10,
        key: module,
        value,
        tags: [module, student, registration],
        correlationId: round,
      },
    ],
    condition: [
      { tags: [student], types: [type], after: zero },
      { tags: [registration], types: [type], after: zero },
    ],
  };
}

export async function append(pool: Pool, load: AppendLoad): Promise<Appended> {
  const store = new PostgresEventStore({ pool });
  let next = 0;
  let appended = 0;
  let conflicts = 0;
  const client = async (): Promise<void> => {
    while (next < load.requests) {
      const verdict = await store.append(requestOf(load, next++), { as: "command" });
      if (verdict.outcome === "appended" && !verdict.duplicate) appended += 1;
      if (verdict.outcome === "conflict") conflicts += 1;
    }
  };
  await Promise.all(Array.from({ length: load.waiting }, client));
  return { appended, conflicts };
}

interface Found {
  readonly stored: bigint;
  readonly students: bigint;
  readonly registrations: bigint;
  readonly gaps: bigint;
}

/**
 * Every event is stored once, no student has two in spite of the conditions, and no lane has gaps.
 *
 * @throws Error when it isn't so.
 */
export async function checkAppended(
  pool: Pool,
  load: AppendLoad,
  told: readonly Appended[],
): Promise<void> {
  const { rows } = await pool.query<Found>(
    `select count(*) as stored, count(distinct tags[2]) as students,
       count(distinct tags[3]) as registrations,
       (select count(*) from refold.lanes l where last_sequence <> (
          select count(*) from refold.events e
          where e.topic = l.topic and e.partition = l.partition)) as gaps
     from refold.events where ce_correlationid = $1`,
    [load.round],
  );
  const expected = BigInt(expectedEvents(load, told.length));
  const appended = BigInt(told.reduce((sum, one) => sum + one.appended, 0));
  const answered = told.every((one) => one.appended + one.conflicts === load.requests);
  const { stored, students, registrations, gaps } = rows[0] as Found;
  const counts = [stored, students, registrations, appended];
  if (!answered || gaps !== 0n || counts.some((count) => count !== expected)) {
    throw new Error(
      `${expected} events should be stored: ${appended} were told, ${stored} are stored, of ` +
        `${students} students and ${registrations} registrations; ${gaps} lanes have gaps.`,
    );
  }
}
