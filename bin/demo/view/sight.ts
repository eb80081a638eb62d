import type { Pool } from "pg";

export interface SeatsSeen {
  readonly code: string;
  readonly title: string;
  readonly capacity: number;
  readonly held: number;
  readonly confirmed: number;
}

/** What the server's own tables show of a moment. */
export interface Sight {
  readonly seats: readonly SeatsSeen[];
  /** By status. */
  readonly payments: ReadonlyMap<string, number>;
  /** Records that each consumer has yet to apply; only of those that are behind. */
  readonly behind: ReadonlyMap<string, number>;
}

const seatsText = `
  select s.module_code as code, c.title, s.capacity, s.held, s.confirmed
  from read."seat-availability" s join read."module-catalogue" c on c.code = s.module_code
  order by s.module_code collate "C"`;

const paymentsText = `
  select status as name, count(*)::integer as n from read."payments" group by 1 order by 2 desc`;

/** In every partition of the topics that a consumer reads, also in those it has yet to begin. */
export const behindText = `
  with reads as (
    select p.consumer, p.generation, p.topic from refold.positions p
    left join refold.serving s on s.projection = p.consumer
    where p.generation = coalesce(s.generation, 0) group by 1, 2, 3
  )
  select r.consumer as name,
    sum(greatest(0, l.end_offset - coalesce(p.next_offset, 0)))::integer as n
  from reads r
  join refold.log_topics t on t.name = r.topic
  join refold.log_partitions l using (topic_number)
  left join refold.positions p on p.consumer = r.consumer and p.generation = r.generation
    and p.topic = r.topic and p.partition = l.partition
  group by 1
  having sum(greatest(0, l.end_offset - coalesce(p.next_offset, 0))) > 0
  order by 2 desc`;

export interface Counted {
  readonly name: string;
  readonly n: number;
}

const countsOf = (rows: readonly Counted[]): ReadonlyMap<string, number> =>
  new Map(rows.map(({ name, n }) => [name, n]));

/** undefined: the database doesn't answer. */
export async function look(pool: Pick<Pool, "query">): Promise<Sight | undefined> {
  try {
    const [seats, payments, behind] = await Promise.all([
      pool.query<SeatsSeen>(seatsText),
      pool.query<Counted>(paymentsText),
      pool.query<Counted>(behindText),
    ]);
    return {
      seats: seats.rows,
      payments: countsOf(payments.rows),
      behind: countsOf(behind.rows),
    };
  } catch {
    return undefined;
  }
}
