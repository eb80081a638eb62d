import type { Pool, PoolClient } from "pg";

import type {
  ConditionItem,
  ReadEvents,
  ReadItem,
  StoredEvent,
} from "../../../engine/ports/event-store.ts";
import { globalPosition, type GlobalPosition } from "../../../engine/position.ts";
import { textArray } from "../binary-array.ts";
import { arrayLiteral, itemColumns } from "./append-call.ts";
import { eventColumns, toStoredEvent, type EventRow } from "./stored-event.ts";

/**
 * Parameters: after, up to, topic, partition, key, time, limit, correlation id, id; then tags, types
 * and afters of items.
 */
const filters = `e.position > $1 and ($2::bigint is null or e.position <= $2)
  and ($3::text is null or e.topic = $3) and ($4::integer is null or e.partition = $4)
  and ($5::text is null or e.key = $5)
  and ($6::bigint is null
    or e.recorded_at <= timestamp 'epoch' + $6::bigint * interval '1 millisecond')
  and ($8::text is null or e.ce_correlationid = $8)
  and ($9::text is null or e.ce_id = $9)`;

type Direction = "asc" | "desc";

const all = (direction: Direction): string => `select ${eventColumns("e.")} from refold.events e
  where ${filters} order by e.position ${direction} limit $7`;

/** By the summaries of correlation ids. */
const correlated = (direction: Direction): string => `select ${eventColumns("e.")}
  from refold.of_correlation($8) c (position) join refold.events e on e.position = c.position
  where ${filters} order by e.position ${direction} limit $7`;

/**
 * Each item brings its first positions by the index of tags; together they are put in order, each
 * position once, and cut. Per tag it is a range of the index, however many items there are.
 */
const byItems = (direction: Direction): string => `select ${eventColumns("e.")} from (
    select distinct m.position from unnest($10::text[], $11::text[], $12::bigint[]) i (tags, types, after)
    cross join lateral (
      (select e.position from refold.event_tags t
      join refold.events e on e.position = t.position
      where i.tags <> '{}' and t.tag = hashtextextended((i.tags::text[])[1], 0)
        and t.position > i.after and ($2::bigint is null or t.position <= $2)
        and e.tags @> i.tags::text[]
        and (i.types is null or e.ce_type = any (i.types::text[])) and ${filters}
      order by t.position ${direction} limit $7)
      union all
      (select e.position from refold.events e
      where i.tags = '{}' and e.position > i.after and (i.types is null or e.ce_type = any (i.types::text[]))
        and ${filters}
      order by e.position ${direction} limit $7)) m
    order by m.position ${direction} limit $7) p
  join refold.events e on e.position = p.position order by e.position ${direction}`;

/** One page of committed events, in order of position. */
export async function readPage(
  client: Pool | PoolClient,
  query: ReadEvents,
  limit: number,
): Promise<StoredEvent[]> {
  const statement = isByItemsAlone(query)
    ? newerStatement(
        query.items.map((item) => ({ ...item, after: afterOf(query, item) })),
        limit,
      )
    : statementOf(query, limit);
  const { rows } = await client.query<EventRow>(statement);
  return rows.map(toStoredEvent);
}

const nothing = globalPosition(0);

/** What is asked of the item is later than both say. */
const afterOf = (query: ReadEvents, item: ReadItem): GlobalPosition =>
  larger(query.after ?? nothing, item.after ?? nothing);

export const larger = (one: GlobalPosition, other: GlobalPosition): GlobalPosition =>
  one > other ? one : other;

interface ByItems extends ReadEvents {
  readonly items: readonly ReadItem[];
}

/** Decisions read so, many times a second: planning the statement of all filters costs the most. */
const isByItemsAlone = (query: ReadEvents): query is ByItems =>
  (query.items?.length ?? 0) > 0 &&
  query.upTo === undefined &&
  query.lane === undefined &&
  query.atMs === undefined &&
  query.correlationId === undefined &&
  query.id === undefined &&
  query.order !== "descending";

/** `limit` undefined: all. */
function statementOf(query: ReadEvents, limit: number | undefined) {
  const { items = [], lane } = query;
  const scalars = [
    query.after ?? 0n,
    query.upTo,
    lane?.topic,
    lane?.partition,
    lane?.key,
    query.atMs === undefined ? undefined : Math.floor(query.atMs),
    limit,
    query.correlationId,
    query.id,
  ];
  const direction = query.order === "descending" ? "desc" : "asc";
  if (items.length === 0) {
    const text = query.correlationId === undefined ? all(direction) : correlated(direction);
    return { text, values: scalars };
  }
  const tags = textArray(items.map((item) => arrayLiteral(item.tags ?? [])));
  const types = textArray(items.map((item) => (item.types ? arrayLiteral(item.types) : null)));
  const afters = items.map((item) => afterOf(query, item));
  return { text: byItems(direction), values: [...scalars, tags, types, afters] };
}

/**
 * All pages of a query, from one snapshot. Between two pages of different snapshots an event with a
 * lower position could commit and be missed, although a later one of its tag is seen.
 */
export async function* readPages(
  pool: Pool,
  query: ReadEvents,
  pageSize: number,
): AsyncGenerator<StoredEvent[]> {
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  if (limit <= 0) return;
  const first = await readPage(pool, query, Math.min(limit, pageSize));
  if (limit <= pageSize || first.length < pageSize) {
    if (first.length > 0) yield first;
    return;
  }
  const client = await pool.connect();
  let finished = false;
  try {
    await client.query("begin isolation level repeatable read, read only");
    yield* pagesOf(client, query, pageSize);
    await client.query("commit");
    finished = true;
  } finally {
    // A consumer that stops early, or a failure, ends the session and with it the snapshot.
    client.release(!finished);
  }
}

/**
 * By a cursor: a query of many items that is asked anew for each page finds all that is left each
 * time, which makes the whole the square of it.
 */
async function* pagesOf(
  client: PoolClient,
  query: ReadEvents,
  pageSize: number,
): AsyncGenerator<StoredEvent[]> {
  const { text, values } = statementOf(query, query.limit);
  await client.query({ text: `declare events_read no scroll cursor for ${text}`, values });
  for (;;) {
    const { rows } = await client.query<EventRow>(`fetch ${pageSize} from events_read`);
    if (rows.length > 0) yield rows.map(toStoredEvent);
    if (rows.length < pageSize) return;
  }
}

/** The condition's newer events, under locks that the caller's transaction holds. */
export async function readNewer(
  client: PoolClient,
  items: readonly ConditionItem[],
): Promise<StoredEvent[]> {
  const { rows } = await client.query<EventRow>(newerStatement(items, 2_147_483_647));
  return rows.map(toStoredEvent);
}

/** A function keeps its plan for the session. */
const newerStatement = (items: readonly ConditionItem[], limit: number) => ({
  name: "refold.newer",
  text: `select ${eventColumns("e.")} from refold.newer(1, array_fill(1, array[$1::integer]),
    $2::bigint[], $3::text[], $4::text[], $5::text[], $6) e`,
  values: [items.length, ...itemColumns(items), limit],
});
