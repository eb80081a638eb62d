import { randomUUID } from "node:crypto";

import type { Pool } from "pg";
import { expect } from "vitest";

import { type Environment, serversOf } from "../../bin/servers.ts";
import { StopInTurn } from "../../bin/stop-in-turn.ts";
import { openLog } from "../../bin/system/record-log.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { header } from "../../engine/envelope.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import { catalogueModules, moduleEvents } from "../../schemas/topics.ts";
import type { Instance } from "../e2e/refold-instance.ts";
import { until } from "../e2e/refold-process.ts";
import { IndependentFold, type StoredRow } from "./independent-fold.ts";
import { compareRedis } from "./redis-rows.ts";
import type { Surge } from "./surge.ts";

export interface Audited extends Pick<Instance, "database" | "http"> {
  /** Which servers it runs on, by the names of environment variables (default: all embedded). */
  readonly settings?: Environment;
}

/**
 * Compares everything that a running instance keeps with an independent fold over its event store,
 * and with every answer that was given: nothing is lost, doubled or oversold.
 */
export async function audit(
  { database: url, http, settings = {} }: Audited,
  surge: Surge,
): Promise<IndependentFold> {
  const servers = serversOf(settings);
  await using stop = new StopInTurn((message) => expect.fail(message));
  const pool = makePool({ url, name: "audit", connectionsMax: 2 });
  stop.add("connection pool", () => pool.end());
  const { log } = await openLog({ servers, pool, url, metrics: noMetrics, stop });
  await untilAllIsApplied({ pool, log, http });
  const rows = await storedRows(pool);
  const fold = new IndependentFold(rows);
  expect(fold.faults).toEqual([]);
  await compareLanes(pool, rows);
  await compareLog(log, rows, servers.kafka === undefined ? "none" : "possible");
  await compareReadModels(pool, fold);
  await compareCatalogue(pool, fold);
  if (servers.redisUrl !== undefined) await compareRedis(servers.redisUrl, pool);
  compareAnswers(surge, fold);
  return fold;
}

/** A row that is written now is on offer when everything before it was captured. */
async function marked(pool: Pool): Promise<string> {
  const code = `marker-${randomUUID()}`;
  await pool.query(
    `insert into catalogue.modules (code, title, capacity, fee_cents) values ($1, 'Marker', 0, 0)`,
    [code],
  );
  return code;
}

interface Running {
  readonly pool: Pool;
  readonly log: RecordLog;
  readonly http: string;
}

/** The log has what the store has, and each consumer stands at the log's ends. */
async function untilAllIsApplied({ pool, log, http }: Running): Promise<void> {
  const marker = await marked(pool);
  let left: unknown[] = [];
  const behind = async (): Promise<unknown[]> => {
    const offered = await pool.query(`select from read."seat-availability" where key = $1`, [
      marker,
    ]);
    if (offered.rowCount === 0) return [marker];
    return [...(await consumersBehind(pool, log)), ...(await lanesBehind(pool))];
  };
  let health = "";
  await until(
    async () => {
      left = await behind();
      if (left.length === 0) return true;
      health = await (await fetch(`${http}/readyz`)).text();
      return undefined;
    },
    60_000,
    () => `everything applied; behind: ${JSON.stringify(left)}\n${health}`,
  );
}

async function consumersBehind(pool: Pool, log: RecordLog): Promise<object[]> {
  const { rows } = await pool.query<{ topic: string; partition: number; next: number }>(
    `select p.consumer, p.topic, p.partition, coalesce(p.next_offset, 0)::int as next
     from refold.positions p left join refold.serving s on s.projection = p.consumer
     where p.generation = coalesce(s.generation, 0)`,
  );
  const ends = new Map<string, bigint>();
  for (const topic of new Set(rows.map((row) => row.topic))) {
    for (const { partition, end } of await log.bounds(topic))
      ends.set(`${topic}/${partition}`, end);
  }
  return rows.filter(({ topic, partition, next }) => {
    return BigInt(next) < (ends.get(`${topic}/${partition}`) ?? 0n);
  });
}

async function lanesBehind(pool: Pool): Promise<object[]> {
  const { rows } = await pool.query<object>(
    `select 'log', l.topic, l.partition, l.last_sequence::int from refold.lanes l
     join refold.positions p on p.topic = l.topic and p.partition = l.partition
     join refold.serving s on s.projection = p.consumer and s.generation = p.generation
     where l.topic = $1 and coalesce(p.next_sequence, 1) <= l.last_sequence`,
    [moduleEvents.name],
  );
  return rows;
}

async function storedRows(pool: Pool): Promise<StoredRow[]> {
  const { rows } = await pool.query<StoredRow>(
    `select topic, partition, sequence::int, ce_id as id, ce_type as type,
       recorded_at as "recordedAt", value
     from refold.events order by topic, partition, sequence`,
  );
  return rows;
}

async function compareLanes(pool: Pool, stored: readonly StoredRow[]): Promise<void> {
  const { rows } = await pool.query<{ lane: string; last: number; id: string }>(
    `select topic || '/' || partition as lane, last_sequence::int as last, last_event_id as id
     from refold.lanes where last_sequence > 0`,
  );
  const ends = new Map<string, { last: number; id: string }>(
    stored.map(({ topic, partition, sequence: last, id }) => {
      return [`${topic}/${partition}`, { last, id }] as const;
    }),
  );
  for (const { lane, last, id } of rows) {
    if (lane.startsWith(moduleEvents.name)) expect({ last, id }, lane).toEqual(ends.get(lane));
  }
}

/**
 * In each partition the log has the lane's events, each once and in order, and nothing else. Where
 * positions are kept beside the log, a capture that dies repeats events: readers drop the repeats.
 */
async function compareLog(
  log: RecordLog,
  stored: readonly StoredRow[],
  repeats: "none" | "possible",
): Promise<void> {
  const { name: topic } = moduleEvents;
  const logged = await loggedEvents(log, topic);
  const ofTopic = stored.filter((row) => row.topic === topic);
  for (const [partition, events] of logged) {
    const lane = ofTopic.filter((row) => row.partition === partition);
    const wanted = lane.map(({ sequence, id }) => `${sequence} ${id}`);
    const found = repeats === "none" ? events : [...new Set(events)];
    expect(found, `${topic}/${partition}`).toEqual(wanted);
  }
}

/** Sequence and id of each record, by partition. */
async function loggedEvents(log: RecordLog, topic: string): Promise<Map<number, string[]>> {
  const bounds = await log.bounds(topic);
  const from = new Map(bounds.map(({ partition, start }) => [partition, start]));
  const logged = new Map(bounds.map(({ partition }) => [partition, [] as string[]]));
  const cursor = new RecordCursor({ verify: "checksum" });
  const { signal } = new AbortController();
  const next = new Map(from);
  for await (const fetch of log.read({ topic, from, until: "end", signal })) {
    for (const { partition, bytes, nextOffset } of fetch.partitions) {
      cursor.reset(bytes, next.get(partition) ?? 0n);
      while (cursor.next()) {
        const id = cursor.headerText(header.id) ?? "";
        logged.get(partition)?.push(`${cursor.headerNumber(header.sequence)} ${id}`);
      }
      next.set(partition, nextOffset);
    }
  }
  return logged;
}

async function compareReadModels(pool: Pool, fold: IndependentFold): Promise<void> {
  const seats = await pool.query(
    `select module_code, capacity, held, confirmed from read."seat-availability"`,
  );
  const offered = [...fold.modules.values()].filter(({ offered }) => offered);
  const byText = (one: unknown, other: unknown) =>
    JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
  expect(seats.rows.toSorted(byText)).toEqual(
    offered
      .map(({ moduleCode, capacity, held, confirmed }) => {
        const sizes = { held: held.size, confirmed: confirmed.size };
        return { module_code: moduleCode, capacity, ...sizes };
      })
      .toSorted(byText),
  );
  const registrations = await pool.query(
    `select registration_id as "registrationId", module_code as "moduleCode",
       student_id as "studentId", status from read."registrations"`,
  );
  const wanted = [...fold.registrations.values()];
  expect(registrations.rows.toSorted(byText)).toEqual(wanted.toSorted(byText));
}

/** What the table says is what was offered, and what the catalogue's read model shows. */
async function compareCatalogue(pool: Pool, fold: IndependentFold): Promise<void> {
  const table = await pool.query<{ code: string; capacity: number }>(
    'select code, capacity from catalogue.modules order by code collate "C"',
  );
  const told = table.rows.map(({ code }) => {
    return { code, capacity: fold.modules.get(code)?.capacity };
  });
  expect(told, catalogueModules.name).toEqual(table.rows);
  const shown = await pool.query(
    `select code, capacity from read."module-catalogue" order by code collate "C"`,
  );
  expect(shown.rows).toEqual(table.rows);
}

/** Each answer has its event, and each event its answer or a request whose answer was lost. */
function compareAnswers({ answers }: Surge, { registrations }: IndependentFold): void {
  const lost = new Set(
    answers.lost.map(({ moduleCode, studentId }) => `${studentId} ${moduleCode}`),
  );
  for (const { registrationId, moduleCode, studentId } of answers.accepted.values()) {
    expect(registrations.get(registrationId)).toMatchObject({ moduleCode, studentId });
  }
  for (const { registrationId, moduleCode, studentId } of registrations.values()) {
    const known = answers.accepted.has(registrationId) || lost.has(`${studentId} ${moduleCode}`);
    expect(known, `${registrationId} was given to nobody`).toBe(true);
  }
  for (const id of answers.withdrawn) expect(registrations.get(id)?.status).toBe("cancelled");
  for (const { status, code } of answers.strange) {
    expect.fail(`A client was answered ${status} ${code}.`);
  }
}
