import type { Pool } from "pg";

import type { AnyRow, Columns } from "../../../engine/columns.ts";
import type {
  Answer,
  CountRows,
  FindRows,
  Page,
  ReadModelReader,
  ReadPosition,
} from "../../../engine/ports/read-model-reader.ts";
import { assertCount, assertQuery, encodeCursor } from "../../../engine/read-cursor.ts";
import { positionJson, readPositions, type PositionRow } from "../positions/stored-position.ts";
import { decodeRow, selectColumns, statementName } from "../stored-rows/row-table.ts";
import { commit, inTransaction, isRelationMissing, runStatement } from "../transaction.ts";
import { fittedCount, fittedQuery, withNulls } from "./lacking-columns.ts";
import { countQuery, pageQuery } from "./page-query.ts";
import { findServing, holdServing, type StoredGeneration } from "./stored-generation.ts";

/** How often a read begins anew because the pointer moved or its table went meanwhile. */
const attemptsMax = 3;
/** Where the read model stands, of the generation $2; in the same statement, so same snapshot. */
const meta = `meta as (
    select (select generation from refold.serving where projection = $1) as serving,
      (select json_agg(${positionJson("p")} order by p.topic, p.partition)
        from refold.positions p where p.consumer = $1 and p.generation = $2) as positions
  )`;

type Found = AnyRow & { readonly serving: number | null; readonly positions: PositionRow[] | null };

interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

interface Reading<Result> {
  readonly ask: (serving: StoredGeneration) => Asked;
  readonly read: (serving: StoredGeneration, found: readonly Found[]) => Result;
}

export interface PostgresReadModelReaderOptions {
  readonly pool: Pool;
  /**
   * Columns by projection, as this process's code has them. The generation that serves may be of
   * another version: columns that it lacks are null in what is answered, and in what is asked.
   */
  readonly declared?: ReadonlyMap<string, Columns>;
}

/**
 * Answers queries from the serving generation. One statement reads the pointer, the positions and
 * the rows of the generation that this process takes for the serving one; where the pointer says
 * otherwise, it learns and asks again, and after a few times holds the pointer. So an answer is of one
 * generation, whatever moves meanwhile.
 */
export class PostgresReadModelReader implements ReadModelReader {
  readonly #pool: Pool;
  readonly #declared: ReadonlyMap<string, Columns>;
  /** One for each projection asked for. */
  readonly #serving = new Map<string, StoredGeneration>();

  constructor(options: PostgresReadModelReaderOptions) {
    this.#pool = options.pool;
    this.#declared = options.declared ?? new Map();
  }

  get(projection: string, key: string): Promise<Answer<AnyRow | undefined>> {
    return this.#answer(projection, {
      ask: ({ table }) => ({
        text: `with ${meta}
          select m.*, t.key as k, ${selectColumns(table, "t").join(", ")}
          from meta m left join ${table.sqlName} t on t.key = $3`,
        values: [key],
      }),
      read: ({ table }, [found]) =>
        found === undefined || found["k"] === null
          ? undefined
          : this.#whole(projection, decodeRow(table, found)),
    });
  }

  find(projection: string, query: FindRows): Promise<Answer<Page>> {
    const fitted = ({ table }: StoredGeneration) =>
      fittedQuery(query, { stored: table.definition, declared: this.#declared.get(projection) });
    return this.#answer(projection, {
      ask: (serving) => {
        const fits = fitted(serving);
        return fits === undefined
          ? { text: `with ${meta} select m.*, null as k from meta m`, values: [] }
          : pageOfRows(serving, fits);
      },
      read: (serving, found) => {
        const { rows, next } = pageOf(serving, fitted(serving) ?? query, found);
        const whole = rows.map(({ key, row }) => ({ key, row: this.#whole(projection, row) }));
        return { rows: whole, next };
      },
    });
  }

  count(projection: string, query: CountRows): Promise<Answer<number>> {
    return this.#answer(projection, {
      ask: (serving) => {
        const stored = serving.table.definition;
        const fits = fittedCount(query, { stored, declared: this.#declared.get(projection) });
        return fits === undefined
          ? { text: `with ${meta} select m.*, 0::int8 as count from meta m`, values: [] }
          : countOfRows(serving, fits);
      },
      read: (_, [found]) => Number(found?.["count"]),
    });
  }

  async positions(projection: string): Promise<readonly ReadPosition[]> {
    const { positions } = await this.#answer(projection, {
      ask: () => ({ text: `with ${meta} select * from meta`, values: [] }),
      read: () => undefined,
    });
    return positions;
  }

  async #answer<Result>(projection: string, how: Reading<Result>): Promise<Answer<Result>> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const serving = this.#serving.get(projection) ?? (await this.#learn(projection));
      const found = await this.#query(serving, how.ask(serving));
      if (found?.[0]?.serving === serving.generation) {
        const positions = readPositions(found[0].positions ?? []);
        return { result: how.read(serving, found), positions, generation: serving.generation };
      }
      this.#serving.delete(projection);
    }
    return this.#answerHeld(projection, how);
  }

  /** The pointer keeps moving: it is held for the time of one read. */
  #answerHeld<Result>(projection: string, how: Reading<Result>): Promise<Answer<Result>> {
    return inTransaction(this.#pool, `Reading ${projection}`, async (client) => {
      const serving = await holdServing(client, projection);
      const { text, values } = how.ask(serving);
      const all = [projection, serving.generation, ...values];
      const { rows: found } = await client.query<Found>(text, all);
      const positions = readPositions(found[0]?.positions ?? []);
      const result = how.read(serving, found);
      return commit({ result, positions, generation: serving.generation });
    });
  }

  #whole(projection: string, row: AnyRow): AnyRow {
    const declared = this.#declared.get(projection);
    return declared === undefined ? row : withNulls(declared, row);
  }

  async #learn(projection: string): Promise<StoredGeneration> {
    const serving = await findServing(this.#pool, projection);
    this.#serving.set(projection, serving);
    return serving;
  }

  /** undefined: the generation's table is gone. */
  async #query(serving: StoredGeneration, asked: Asked): Promise<Found[] | undefined> {
    try {
      return await runStatement<Found>(this.#pool, {
        doing: `Reading ${serving.projection}`,
        stage: "preparing",
        name: statementName(asked.text),
        text: asked.text,
        values: [serving.projection, serving.generation, ...asked.values],
      });
    } catch (error) {
      if (isRelationMissing(error)) return undefined;
      throw error;
    }
  }
}

function pageOfRows(serving: StoredGeneration, query: FindRows): Asked {
  assertQuery(serving.projection, serving.table.definition, query);
  const { sql: page, values } = pageQuery(serving.table, query, 3);
  const columns = selectColumns(serving.table, "t").join(", ");
  const text = `with ${meta}, page as (${page})
    select m.serving, case when t."N" is null or t."N" = 1 then m.positions end as positions,
      t.key as k, ${columns}
    from meta m left join page t on true order by t."N"`;
  return { text, values };
}

function countOfRows(serving: StoredGeneration, query: CountRows): Asked {
  assertCount(serving.projection, serving.table.definition, query);
  const { sql, values } = countQuery(serving.table, query, 3);
  return { text: `with ${meta} select m.*, (${sql}) as count from meta m`, values };
}

function pageOf(serving: StoredGeneration, query: FindRows, found: readonly Found[]): Page {
  const all = found
    .filter((row) => row["k"] !== null)
    .map((row) => ({ key: row["k"] as string, row: decodeRow(serving.table, row) }));
  const rows = all.slice(0, query.limit);
  const last = rows.at(-1);
  if (last === undefined || all.length === rows.length) return { rows, next: undefined };
  const values = (query.orderBy ?? []).map(({ column }) => last.row[column]);
  return { rows, next: encodeCursor(serving.projection, query, { values, key: last.key }) };
}
