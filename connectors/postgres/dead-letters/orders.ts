import type { Pool, PoolClient } from "pg";

import type {
  LetterAction,
  LetterOrder,
  LetterOrderRequest,
  LetterOrderState,
} from "../../../engine/ports/dead-letters.ts";
import { int8Array } from "../binary-array.ts";
import { commit, inTransaction, runStatement } from "../transaction.ts";
import { conditionOf, criteriaOf, storedCriteria, type StoredCriteria } from "./criteria.ts";
import { writable } from "./insert-dead-letters.ts";

interface OrderRow {
  readonly id: bigint;
  readonly at: Date;
  readonly action: LetterAction;
  readonly by: string;
  readonly reason: string | null;
  readonly criteria: StoredCriteria;
  readonly letters_per_second: number | null;
  readonly state: LetterOrderState;
  readonly stopped_by: string | null;
  readonly stopped_at: Date | null;
  readonly matched: bigint;
  readonly asked: bigint;
  readonly unanswered: bigint;
  readonly redriven: bigint;
  readonly discarded: bigint;
  readonly failed: bigint;
}

interface OpenOrder {
  readonly id: bigint;
  readonly action: LetterAction;
  readonly by: string;
  readonly reason: string | null;
  readonly criteria: StoredCriteria;
  readonly letters_per_second: number | null;
  readonly last_id: bigint;
  readonly cursor: bigint;
  readonly allowance: number;
}

/** What an order asks for in one transaction. */
const releaseMax = 10_000;

const told = `select o.id, o.at, o.action, o.by, o.reason, o.criteria, o.letters_per_second, o.state,
    o.stopped_by, o.stopped_at, o.matched, o.asked, count(d.id) filter (where d.asked is not null) as unanswered,
    count(*) filter (where d.asked is null and d.disposition = 'redriven') as redriven,
    count(*) filter (where d.asked is null and d.disposition = 'discarded') as discarded,
    count(*) filter (where d.asked is null and d.disposition in ('failed', 'waiting')) as failed
  from refold.letter_orders o left join refold.dead_letters d on d.order_id = o.id`;

/** What operators have ordered, and what of it is asked for by now. */
export class LetterOrders {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async add(request: LetterOrderRequest): Promise<LetterOrder> {
    const id = await inTransaction(this.#pool, "Ordering dead letters", async (client) => {
      const order = await insertOrder(client, request);
      await release(client, { id: order, limit: releaseMax });
      return commit(order);
    });
    const order = await this.find(id);
    if (order === undefined) throw new Error(`Letter order ${id} is gone.`);
    return order;
  }

  async release(limit: number): Promise<number> {
    const open = await this.#run<{ id: bigint }>(
      "select id from refold.letter_orders where state = 'open' order by id",
    );
    let asked = 0;
    for (const { id } of open) {
      if (asked >= limit) break;
      const left = Math.min(limit - asked, releaseMax);
      asked += await inTransaction(this.#pool, "Asking for dead letters", async (client) =>
        commit(await release(client, { id, limit: left })),
      );
    }
    return asked;
  }

  async stop(id: bigint, by: string): Promise<boolean> {
    const stopped = await runStatement<{ id: bigint }>(this.#pool, {
      doing: "Stopping an order of dead letters",
      stage: "changing",
      text: `update refold.letter_orders
        set state = 'stopped', stopped_by = $2, stopped_at = clock_timestamp()
        where id = $1 and state = 'open' returning id`,
      values: [id, writable(by)],
    });
    return stopped.length > 0;
  }

  async find(id: bigint): Promise<LetterOrder | undefined> {
    const [row] = await this.#run<OrderRow>(`${told} where o.id = $1 group by o.id`, [id]);
    return row && orderOf(row);
  }

  async newest(limit: number): Promise<readonly LetterOrder[]> {
    const text = `${told} where o.id in (
        select id from refold.letter_orders order by id desc limit $1
      ) group by o.id order by o.id desc`;
    return (await this.#run<OrderRow>(text, [limit])).map(orderOf);
  }

  #run<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const doing = "Reading the orders of dead letters";
    return runStatement<Row>(this.#pool, { doing, stage: "preparing", text, values });
  }
}

async function insertOrder(client: PoolClient, request: LetterOrderRequest): Promise<bigint> {
  const { letters, action, by, reason, lettersPerSecond } = request;
  const values: unknown[] = [
    action,
    writable(by),
    reason === undefined ? null : writable(reason),
    JSON.stringify(storedCriteria(letters)),
    lettersPerSecond ?? null,
  ];
  const meant = conditionOf(letters, values);
  const { rows } = await client.query<{ id: bigint }>(
    `insert into refold.letter_orders
       (action, by, reason, criteria, letters_per_second, matched, last_id)
     select $1, $2, $3, $4::jsonb, $5::float8, count(*), coalesce(max(d.id), 0)
       from refold.dead_letters d where d.disposition = 'failed' and ${meant}
     returning id`,
    values,
  );
  return rows[0]?.id ?? 0n;
}

/** @returns How many letters were asked for; 0 where another process passes the order on. */
async function release(
  client: PoolClient,
  { id, limit }: { readonly id: bigint; readonly limit: number },
): Promise<number> {
  const { rows } = await client.query<OpenOrder>(
    `select id, action, by, reason, criteria, letters_per_second, last_id, cursor,
       least(greatest(letters_per_second, 1), allowance
         + extract(epoch from clock_timestamp() - filled_at)::float8 * letters_per_second)
         as allowance
     from refold.letter_orders where id = $1 and state = 'open' for update skip locked`,
    [id],
  );
  const [order] = rows;
  if (order === undefined) return 0;
  const isRated = order.letters_per_second !== null;
  if (isRated && order.allowance < 1) return 0;
  const wanted = isRated ? Math.min(limit, Math.floor(order.allowance)) : limit;
  const found = await candidates(client, order, wanted);
  const taken = isRated ? within(found, order.allowance) : found;
  await ask(client, order, taken);
  const isWhole = found.length < wanted && taken.length === found.length;
  await passOn(client, order, { taken, state: isWhole ? "asked" : "open" });
  return taken.length;
}

interface Candidate {
  readonly id: bigint;
  /** The letter, and what waits behind it. */
  readonly weight: number;
}

/** Locked in order of id, as settlements lock them. */
async function candidates(
  client: PoolClient,
  order: OpenOrder,
  limit: number,
): Promise<readonly Candidate[]> {
  const values: unknown[] = [order.cursor, order.last_id, limit];
  const meant = conditionOf(criteriaOf(order.criteria), values);
  const behind =
    order.letters_per_second === null
      ? "0"
      : `(select count(*) from refold.dead_letters w
          where w.consumer = m.consumer and w.generation = m.generation and w.topic = m.topic
            and w.partition = m.partition and w.key = m.key and w."offset" > m."offset"
            and w.disposition = 'waiting')::int4`;
  const { rows } = await client.query<Candidate>(
    `with m as materialized (
       select id, consumer, generation, topic, partition, key, "offset"
       from refold.dead_letters d
       where d.disposition = 'failed' and d.id > $1 and d.id <= $2 and ${meant}
       order by d.id limit $3 for update
     )
     select id, 1 + ${behind} as weight from m order by id`,
    values,
  );
  return rows;
}

/** As many as the allowance has; the last one may be more than is left. */
function within(found: readonly Candidate[], allowance: number): readonly Candidate[] {
  let left = allowance;
  return found.filter(({ weight }) => {
    const isTaken = left >= 1;
    left -= weight;
    return isTaken;
  });
}

async function ask(
  client: PoolClient,
  { id, action, by, reason }: OpenOrder,
  letters: readonly Candidate[],
): Promise<void> {
  if (letters.length === 0) return;
  await client.query(
    `with asked as (
       update refold.dead_letters
         set asked = $2, asked_reason = $3, asks = asks + 1, order_id = $4
         where id = any($1::int8[]) returning id
     )
     insert into refold.letter_acts (letter, act, by, reason, order_id)
       select id, $2, $5, $3, $4 from asked`,
    [int8Array(letters.map((letter) => letter.id)), action, reason, id, by],
  );
}

async function passOn(
  client: PoolClient,
  { id, cursor }: OpenOrder,
  { taken, state }: { readonly taken: readonly Candidate[]; readonly state: LetterOrderState },
): Promise<void> {
  const spent = taken.reduce((sum, { weight }) => sum + weight, 0);
  await client.query(
    `update refold.letter_orders set cursor = $2, asked = asked + $3, state = $4,
       allowance = least(greatest(letters_per_second, 1), allowance
         + extract(epoch from clock_timestamp() - filled_at)::float8 * letters_per_second) - $5,
       filled_at = clock_timestamp()
     where id = $1`,
    [id, taken.at(-1)?.id ?? cursor, taken.length, state, spent],
  );
}

function orderOf(row: OrderRow): LetterOrder {
  const { id, at, action, by, state, stopped_by: stoppedBy, stopped_at: stoppedAt } = row;
  return {
    id,
    at,
    action,
    by,
    state,
    stopped:
      stoppedBy === null || stoppedAt === null ? undefined : { by: stoppedBy, at: stoppedAt },
    reason: row.reason ?? undefined,
    letters: criteriaOf(row.criteria),
    lettersPerSecond: row.letters_per_second ?? undefined,
    matched: Number(row.matched),
    asked: Number(row.asked),
    unanswered: Number(row.unanswered),
    redriven: Number(row.redriven),
    discarded: Number(row.discarded),
    failed: Number(row.failed),
  };
}
