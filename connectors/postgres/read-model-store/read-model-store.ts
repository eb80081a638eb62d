import type { Pool, PoolClient } from "pg";

import type { AnyRow } from "../../../engine/columns.ts";
import { FatalError } from "../../../engine/errors.ts";
import { generationUnknown } from "../../../engine/generation-faults.ts";
import type {
  Generation,
  OwnedPartition,
  ReadModel,
  ReadModelFlush,
  ReadModelStore,
} from "../../../engine/ports/read-model-store.ts";
import { textArray } from "../binary-array.ts";
import { insertDeadLetters, settleDeadLetters } from "../dead-letters/index.ts";
import { insertNotices, noticeParameters } from "../event-store/notices.ts";
import { assertHeld, type LostPartition } from "../positions/fence.ts";
import { allPositions, claimPartitions } from "../positions/positions.ts";
import { digestStatement, storedDigests, type BucketRow } from "../stored-digests.ts";
import { packedColumns, type PackedRows, unpackedRows } from "../stored-rows/packed-rows.ts";
import { decodeRow, selectColumns, statementName } from "../stored-rows/row-table.ts";
import {
  commit,
  inTransaction,
  isRelationMissing,
  runStatement,
  sqlStateOf,
} from "../transaction.ts";
import {
  flushParameters,
  flushStatement,
  type FlushStatement,
  type NewRows,
  newRowsOf,
} from "./flush-statement.ts";
import { notifyingFlush } from "./notifying-flush.ts";
import { findGeneration, openGeneration, type StoredGeneration } from "./stored-generation.ts";

export interface PostgresReadModelStoreOptions {
  readonly pool: Pool;
  /** Rows of one page of a scan. */
  readonly scanPageRows?: number;
}

/** The statements of a flush, without and with notices. */
interface Flushes {
  readonly flush: FlushStatement;
  readonly notifyingFlush: FlushStatement;
}

type Known = StoredGeneration & Readonly<Record<NewRows, Flushes>>;

/** What a flush with notices answers where all was written. */
interface NoneLost {
  readonly topic: null;
  readonly partition: null;
}

const isLost = (row: LostPartition | NoneLost): row is LostPartition => row.topic !== null;

/** Read models in tables of the schema `read`. Its tables come with `migrations.ts`. */
export class PostgresReadModelStore implements ReadModelStore {
  readonly #pool: Pool;
  readonly #scanPageRows: number;
  /** Generations that this process has met: a few for each projection that it runs. */
  readonly #known = new Map<string, Known>();

  constructor(options: PostgresReadModelStoreOptions) {
    this.#pool = options.pool;
    this.#scanPageRows = options.scanPageRows ?? 1_000;
  }

  open(model: ReadModel): Promise<Generation> {
    return openGeneration(this.#pool, model);
  }

  async claim(
    generation: Generation,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]> {
    try {
      return await claimPartitions(this.#pool, consumerOf(generation), partitions);
    } catch (error) {
      // Those of a generation that goes away went first.
      if (error instanceof FatalError && error.code === "partition-unknown") {
        await this.positions(generation);
      }
      throw error;
    }
  }

  async load(
    generation: Generation,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, AnyRow>> {
    const { table } = await this.#find(generation);
    const text = `select ${packedColumns(table, "t").join(", ")}
      from ${table.sqlName} t where t.key = any($1::text[])`;
    const values = [textArray(keys)];
    const [packed] = await this.#read<PackedRows>(generation, { text, values });
    return unpackedRows(table, packed ?? {});
  }

  async flush(flush: ReadModelFlush): Promise<void> {
    const newRows = newRowsOf(flush);
    try {
      await this.#write(flush, newRows);
    } catch (error) {
      if (newRows === "upsert" || !isAlreadyThere(error)) throw error;
      // Somebody else has written such a row; this statement wrote nothing.
      await this.#write(flush, "upsert");
    }
  }

  async #write(flush: ReadModelFlush, newRows: NewRows): Promise<void> {
    const known = await this.#find(flush.generation);
    const { projection } = flush.generation;
    const values = flushParameters(known.table, flush, newRows);
    const statement = { ...known[newRows].flush, values };
    const doing = `Flushing ${projection}`;
    try {
      const { deadLetters, settlements = [] } = flush;
      if (deadLetters.length === 0 && settlements.length === 0) {
        // One statement is a transaction of its own: one round trip.
        const all =
          flush.notices.length === 0
            ? statement
            : {
                ...known[newRows].notifyingFlush,
                values: [...values, ...noticeParameters(flush.notices)],
              };
        const once = { ...all, doing, stage: "changing" as const };
        const rows = await runStatement<LostPartition | NoneLost>(this.#pool, once);
        assertHeld(projection, rows.filter(isLost));
        return;
      }
      await inTransaction(this.#pool, doing, async (client) => {
        const { rows } = await client.query<LostPartition>(statement);
        assertHeld(projection, rows);
        await insertDeadLetters(client, deadLetters);
        const { advances } = flush;
        await settleDeadLetters(client, settlements, { owner: projection, advances });
        await notify(client, flush);
        return commit(undefined);
      });
    } catch (error) {
      throw this.#named(error, flush.generation);
    }
  }

  async positions(generation: Generation): Promise<readonly OwnedPartition[]> {
    const all = await allPositions(this.#pool, consumerOf(generation));
    if (all.length > 0) return all;
    throw generationUnknown(generation.projection, generation.generation);
  }

  async digests(
    generation: Generation,
  ): Promise<ReadonlyMap<number, { hash: bigint; rows: number }>> {
    const { projection, generation: number } = generation;
    const found = await this.#read<BucketRow>(generation, {
      text: digestStatement,
      values: [projection, number],
    });
    return new Map([...storedDigests(found)].filter(([, { rows }]) => rows > 0));
  }

  /** Each page is a snapshot of its own: what is written meanwhile may be in a later page. */
  async *scan(generation: Generation): AsyncIterable<readonly { key: string; row: AnyRow }[]> {
    const { table } = await this.#find(generation);
    const text = `select t.key as k, ${selectColumns(table, "t").join(", ")}
      from ${table.sqlName} t where $1::text is null or t.key > $1 order by t.key limit $2`;
    let after: string | undefined;
    do {
      const values = [after ?? null, this.#scanPageRows];
      const found = await this.#read<AnyRow>(generation, { text, values });
      const page = found.map((row) => ({ key: row["k"] as string, row: decodeRow(table, row) }));
      if (page.length > 0) yield page;
      after = page.length < this.#scanPageRows ? undefined : page.at(-1)?.key;
    } while (after !== undefined);
  }

  async #find(generation: Generation): Promise<Known> {
    const key = `${generation.projection} ${generation.generation}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = await findGeneration(this.#pool, generation);
    const flushesOf = (newRows: NewRows): Flushes => ({
      flush: flushStatement(found.table, newRows),
      notifyingFlush: notifyingFlush(found.table, newRows),
    });
    const learnt = { ...found, insert: flushesOf("insert"), upsert: flushesOf("upsert") };
    this.#known.set(key, learnt);
    return learnt;
  }

  async #read<Row extends object>(
    generation: Generation,
    query: { readonly text: string; readonly values: readonly unknown[] },
  ): Promise<Row[]> {
    const doing = `Reading ${generation.projection}`;
    try {
      const name = statementName(query.text);
      return await runStatement<Row>(this.#pool, { ...query, name, doing, stage: "preparing" });
    } catch (error) {
      throw this.#named(error, generation);
    }
  }

  #named(error: unknown, { projection, generation }: Generation): unknown {
    if (!isRelationMissing(error)) return error;
    this.#known.delete(`${projection} ${generation}`);
    return generationUnknown(projection, generation);
  }
}

const uniqueViolation = "23505";

/** Was nothing written, because a row that is new to its writer was there? */
const isAlreadyThere = (error: unknown): boolean => sqlStateOf(error) === uniqueViolation;

const consumerOf = ({ projection, generation }: Generation) => ({
  consumer: projection,
  generation,
});

/** The pointer's row is locked against a swap, so that exactly one generation sends a notice. */
async function notify(client: PoolClient, { generation, notices }: ReadModelFlush): Promise<void> {
  if (notices.length === 0) return;
  const serving = await client.query(
    "select 1 from refold.serving where projection = $1 and generation = $2 for share",
    [generation.projection, generation.generation],
  );
  if (serving.rows.length > 0) await insertNotices(client, notices);
}
