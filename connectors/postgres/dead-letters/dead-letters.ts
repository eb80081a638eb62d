import type { Pool } from "pg";

import { Gathering } from "../../../engine/gathering.ts";
import type {
  DeadLetters,
  Disposition,
  EditVerdict,
  LetterAct,
  LetterCount,
  LetterCriteria,
  LetterEdit,
  LetterFilter,
  LetterGroup,
  LetterOrder,
  LetterOrderRequest,
  LetterPlace,
  LettersOfKey,
  LetterSurvey,
  OpenLetters,
  OpenLettersMax,
  ParkedKey,
  StoredDeadLetter,
} from "../../../engine/ports/dead-letters.ts";
import { byteaArray, int4Array, textArray } from "../binary-array.ts";
import { runStatement } from "../transaction.ts";
import { conditionOf } from "./criteria.ts";
import { actsOn, editLetter } from "./edits.ts";
import { LetterOrders } from "./orders.ts";
import { type LetterRow, storedLetter } from "./stored-letter.ts";
import { groupsIn, surveyIn } from "./views.ts";

/**
 * Keys are compared by what a hash join takes: null as the empty key beside a mark. The row itself
 * is joined only where it is within the bounds.
 */
const openOfKeys = `with asked_of as (
    select * from unnest($1::text[], $2::int4[], $3::text[], $4::int4[], $5::bytea[])
      with ordinality as k (consumer, generation, topic, partition, key, place)
  ), found as (
    select d.id, k.place, d."offset",
      coalesce(octet_length(coalesce(d.edited_value, d.value)), 0) as size
    from asked_of k join refold.dead_letters d
      on d.consumer = k.consumer and d.generation = k.generation and d.topic = k.topic
        and d.partition = k.partition and (d.key is null) = (k.key is null)
        and coalesce(d.key, '') = coalesce(k.key, '')
    where d.disposition in ('failed', 'waiting') and (d.key is not null or d.asked is not null)
  ), placed as (
    select id, place, "offset", count(*) over () as all_letters,
      row_number() over w as n, sum(size) over w as bytes
    from found window w as (order by place, "offset")
  )
  select d.*, placed.all_letters from placed join refold.dead_letters d on d.id = placed.id
  where placed.n <= 2 or (placed.n <= $6 and placed.bytes <= $7) order by placed.n`;

/** Places that one statement looks up. */
const placesMax = 1_000;

interface Sought {
  readonly place: LetterPlace;
  readonly keys: ParkedKey[];
}

interface ParkedRow {
  readonly place: bigint;
  readonly key: Buffer | null;
  readonly failed: bigint;
  readonly waiting: bigint;
}

const parkedAtPlaces = `select k.place, d.key,
    count(*) filter (where d.disposition = 'failed') as failed,
    count(*) filter (where d.disposition = 'waiting') as waiting
  from unnest($1::text[], $2::int4[], $3::text[], $4::int4[])
    with ordinality as k (consumer, generation, topic, partition, place)
  join refold.dead_letters d on d.consumer = k.consumer and d.generation = k.generation
    and d.topic = k.topic and d.partition = k.partition
  where d.disposition in ('failed', 'waiting') group by k.place, d.key`;

/** Reads the dead letters that flushes wrote, and writes down what operators ask for. */
export class PostgresDeadLetters implements DeadLetters {
  readonly #pool: Pool;
  readonly #orders: LetterOrders;
  readonly #sought: Gathering<Sought>;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
    this.#orders = new LetterOrders(options.pool);
    this.#sought = new Gathering({ write: (sought) => this.#lookUp(sought), batchMax: placesMax });
  }

  /** Those of many places are looked up together: a start asks for all that it claims. */
  async parked(place: LetterPlace): Promise<readonly ParkedKey[]> {
    const sought: Sought = { place, keys: [] };
    await this.#sought.add(sought);
    return sought.keys;
  }

  async #lookUp(sought: readonly Sought[]): Promise<void> {
    const places = sought.map(({ place }) => place);
    const rows = await this.#run<ParkedRow>(parkedAtPlaces, [
      textArray(places.map(({ consumer }) => consumer)),
      int4Array(places.map(({ generation }) => generation)),
      textArray(places.map(({ topic }) => topic)),
      int4Array(places.map(({ partition }) => partition)),
    ]);
    for (const { place, key, failed, waiting } of rows) {
      // The server counts from 1.
      const keys = sought[Number(place) - 1]?.keys;
      keys?.push({ key, failed: Number(failed), waiting: Number(waiting) });
    }
  }

  async open(of: readonly LettersOfKey[], max: OpenLettersMax): Promise<OpenLetters> {
    const rows = await this.#run<LetterRow & { readonly all_letters: bigint }>(openOfKeys, [
      textArray(of.map(({ consumer }) => consumer)),
      int4Array(of.map(({ generation }) => generation)),
      textArray(of.map(({ topic }) => topic)),
      int4Array(of.map(({ partition }) => partition)),
      byteaArray(of.map(({ key }) => key)),
      max.letters,
      max.bytes,
    ]);
    const more = rows.length < Number(rows[0]?.all_letters ?? 0);
    return { letters: rows.map(storedLetter), more };
  }

  order(request: LetterOrderRequest): Promise<LetterOrder> {
    return this.#orders.add(request);
  }

  release(limit: number): Promise<number> {
    return this.#orders.release(limit);
  }

  stopOrder(id: bigint, by: string): Promise<boolean> {
    return this.#orders.stop(id, by);
  }

  findOrder(id: bigint): Promise<LetterOrder | undefined> {
    return this.#orders.find(id);
  }

  orders(limit: number): Promise<readonly LetterOrder[]> {
    return this.#orders.newest(limit);
  }

  edit(id: bigint, edit: Omit<LetterEdit, "at">): Promise<EditVerdict> {
    return editLetter(this.#pool, id, edit);
  }

  acts(id: bigint, limit: number): Promise<readonly LetterAct[]> {
    return actsOn(this.#pool, id, limit);
  }

  asked(
    limit: number,
    of?: readonly Pick<LetterPlace, "consumer" | "generation">[],
  ): Promise<readonly LettersOfKey[]> {
    return this.#run<LettersOfKey>(
      `select consumer, generation, topic, partition, key from refold.dead_letters
       where asked is not null and ($2::text[] is null or (consumer, generation) in (
         select * from unnest($2::text[], $3::int4[])
       ))
       group by consumer, generation, topic, partition, key order by min(id) limit $1`,
      [
        limit,
        of === undefined ? null : textArray(of.map(({ consumer }) => consumer)),
        of === undefined ? null : int4Array(of.map(({ generation }) => generation)),
      ],
    );
  }

  async find(id: bigint): Promise<StoredDeadLetter | undefined> {
    const [row] = await this.#run<LetterRow>(`select * from refold.dead_letters where id = $1`, [
      id,
    ]);
    return row && storedLetter(row);
  }

  async list(filter: LetterFilter): Promise<readonly StoredDeadLetter[]> {
    const { after = 0n, limit } = filter;
    const values: unknown[] = [after, limit];
    const rows = await this.#run<LetterRow>(
      `select * from refold.dead_letters d where d.id > $1 and ${conditionOf(filter, values)}
       order by d.id limit $2`,
      values,
    );
    return rows.map(storedLetter);
  }

  groups(criteria: LetterCriteria, limit: number): Promise<readonly LetterGroup[]> {
    return groupsIn(this.#pool, criteria, limit);
  }

  survey(criteria: LetterCriteria, keysMax: number): Promise<LetterSurvey> {
    return surveyIn(this.#pool, criteria, keysMax);
  }

  async counts(): Promise<readonly LetterCount[]> {
    const rows = await this.#run<{
      consumer: string;
      disposition: Disposition;
      letters: bigint;
      keys: bigint;
    }>(
      `select consumer, disposition, sum(letters)::int8 as letters,
         count(*) filter (where key is not null) as keys
       from (
         select consumer, disposition, key, count(*) as letters from refold.dead_letters
         group by consumer, generation, topic, partition, disposition, key
       ) as keys
       group by consumer, disposition order by consumer, disposition`,
    );
    return rows.map((row) => ({
      ...row,
      letters: Number(row.letters),
      keys: Number(row.keys),
    }));
  }

  #run<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return runStatement<Row>(this.#pool, {
      doing: "Reading the dead letters",
      stage: "preparing",
      text,
      values,
    });
  }
}
