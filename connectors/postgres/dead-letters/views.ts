import type { Pool } from "pg";

import type {
  LetterCriteria,
  LetterGroup,
  LetterSurvey,
} from "../../../engine/ports/dead-letters.ts";
import { runStatement } from "../transaction.ts";
import { conditionOf } from "./criteria.ts";

interface GroupRow {
  readonly consumer: string;
  readonly cause: string;
  readonly event_type: string | null;
  readonly schema_id: bigint | null;
  readonly topic: string;
  readonly letters: bigint;
  readonly keys: bigint;
  readonly waiting: bigint;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly example: bigint;
  readonly message: string;
}

/** Joins a letter or key `m` with what waits behind it. */
const behind = `w.consumer = m.consumer and w.generation = m.generation and w.topic = m.topic
  and w.partition = m.partition and w.key = m.key and w.disposition = 'waiting'`;

/** See `DeadLetters.groups`. */
export async function groupsIn(
  pool: Pool,
  criteria: LetterCriteria,
  limit: number,
): Promise<readonly LetterGroup[]> {
  const values: unknown[] = [limit];
  const fault = "consumer, cause, event_type, schema_id, topic";
  const text = `with meant as materialized (
      select id, ${fault}, generation, partition, key, first_at
      from refold.dead_letters d where ${conditionOf(criteria, values)}
    ), m as (
      select distinct ${fault}, generation, partition, key from meant where key is not null
    ), keys as (
      select ${columnsOf("m")}, count(distinct (m.generation, m.partition, m.key)) as keys,
        count(w.id) as waiting
      from m left join refold.dead_letters w on ${behind} group by ${columnsOf("m")}
    ), groups as (
      select ${fault}, count(*) as letters, min(first_at) as first_at, max(first_at) as last_at,
        min(id) as example
      from meant group by ${fault}
    )
    select ${columnsOf("g")}, g.letters, g.first_at, g.last_at, g.example, e.message,
      coalesce(k.keys, 0) as keys, coalesce(k.waiting, 0) as waiting
    from groups g join refold.dead_letters e on e.id = g.example
      left join keys k on k.consumer = g.consumer and k.cause = g.cause and k.topic = g.topic
        and k.event_type is not distinct from g.event_type
        and k.schema_id is not distinct from g.schema_id
    order by g.letters desc, g.example limit $1`;
  const rows = await read<GroupRow>(pool, text, values);
  return rows.map((row) => ({
    consumer: row.consumer,
    cause: row.cause,
    type: row.event_type ?? undefined,
    schemaId: row.schema_id === null ? undefined : Number(row.schema_id),
    topic: row.topic,
    letters: Number(row.letters),
    keys: Number(row.keys),
    waiting: Number(row.waiting),
    firstAt: row.first_at,
    lastAt: row.last_at,
    example: { id: row.example, message: row.message },
  }));
}

const columnsOf = (table: string): string =>
  ["consumer", "cause", "event_type", "schema_id", "topic"]
    .map((name) => `${table}.${name}`)
    .join(", ");

interface KeyRow {
  readonly consumer: string;
  readonly generation: number;
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly letters: bigint;
  readonly first_id: bigint;
  readonly waiting: bigint;
  readonly all_letters: bigint;
  readonly all_keys: bigint;
  readonly all_waiting: bigint;
}

/** See `DeadLetters.survey`. */
export async function surveyIn(
  pool: Pool,
  criteria: LetterCriteria,
  keysMax: number,
): Promise<LetterSurvey> {
  const values: unknown[] = [keysMax];
  const meant = conditionOf(criteria, values);
  const text = `with m as materialized (
      select consumer, generation, topic, partition, key, count(*) as letters, min(id) as first_id
      from refold.dead_letters d where d.disposition = 'failed' and ${meant}
      group by consumer, generation, topic, partition, key, case when key is null then id end
    ), behind as (
      select consumer, generation, topic, partition, key, count(*) as waiting
      from refold.dead_letters where disposition = 'waiting' and key is not null
      group by consumer, generation, topic, partition, key
    ), k as (
      select m.*, coalesce(w.waiting, 0) as waiting from m left join behind w
        on w.consumer = m.consumer and w.generation = m.generation and w.topic = m.topic
          and w.partition = m.partition and w.key = m.key
    )
    select k.*, sum(letters) over ()::int8 as all_letters, count(*) over () as all_keys,
      sum(waiting) over ()::int8 as all_waiting
    from k order by first_id limit greatest($1, 1)`;
  const rows = await read<KeyRow>(pool, text, values);
  const [one] = rows;
  return {
    letters: Number(one?.all_letters ?? 0),
    keys: Number(one?.all_keys ?? 0),
    waiting: Number(one?.all_waiting ?? 0),
    first: rows.slice(0, keysMax).map((row) => ({
      consumer: row.consumer,
      generation: row.generation,
      topic: row.topic,
      partition: row.partition,
      key: row.key,
      letters: Number(row.letters),
      waiting: Number(row.waiting),
      firstId: row.first_id,
    })),
  };
}

function read<Row extends object>(
  pool: Pool,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const doing = "Reading the dead letters";
  return runStatement<Row>(pool, { doing, stage: "preparing", text, values });
}
