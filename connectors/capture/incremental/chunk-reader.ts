import { randomUUID } from "node:crypto";

import { DatabaseError, type ClientBase } from "pg";

import type { CaptureSettings } from "../options.ts";
import { TableRoute } from "../routing/table-route.ts";
import type { SignalTable } from "../server/snapshot-plan.ts";
import { textRows, type TextRow } from "../server/text-rows.ts";
import type { CapturedTables } from "../tables/captured-tables.ts";
import { parseTableName, quoteName, quoteTable } from "../tables/names.ts";
import { isRunning, nextTable, type Progress, type QueuedTable } from "./progress.ts";

/** Prefix of the messages that mark a chunk which was read under a lock. */
export const markPrefix = "refold.chunk";

/** Rows of one table, and where the snapshot is when they are told. */
export interface Chunk {
  readonly id: string;
  /** Undefined: every table that was left turned out to have nothing more. */
  readonly table: string | undefined;
  readonly route: TableRoute | undefined;
  readonly rows: readonly TextRow[];
  readonly progress: Progress;
}

export interface ChunkReaderOptions {
  readonly client: ClientBase;
  readonly settings: CaptureSettings;
  readonly tables: CapturedTables;
  readonly signal: AbortSignal;
}

/** How long a table's writers may hold up a chunk, and be held up behind it, before it gives way. */
const lockTimeoutMs = 2_000;
const lockRetryMs = 500;
const lockNotAvailable = "55P03";

interface Source {
  readonly queued: QueuedTable;
  readonly route: TableRoute;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/**
 * Reads the next chunk of a table by its key, between marks that the stream will meet
 * (the watermarks of https://arxiv.org/abs/2010.12597).
 */
export class ChunkReader {
  readonly #options: ChunkReaderOptions;
  constructor(options: ChunkReaderOptions) {
    this.#options = options;
  }

  /** @param keep Takes the chunk before its closing mark is written. */
  async read(progress: Progress, id: string, keep: (chunk: Chunk) => void): Promise<void> {
    const { signals } = this.#options.settings;
    if (progress.tables[0]?.mark === "lock") await this.#underLock(progress, id, keep);
    else if (signals) await this.#betweenRows(progress, id, { keep, signals });
  }

  async #betweenRows(
    progress: Progress,
    id: string,
    { keep, signals }: { keep: (chunk: Chunk) => void; signals: SignalTable },
  ): Promise<void> {
    const { client, settings } = this.#options;
    const table = quoteTable(parseTableName(signals.table));
    const insert = `insert into ${table} values ($1, $2, $3)`;
    const openedAt = new Date(settings.clock.nowMs()).toISOString();
    const opened = `{"openWindowTimestamp": "${openedAt}"}`;
    await client.query(insert, [`${id}-open`, "snapshot-window-open", opened]);
    keep(await this.#next(progress, id, "all"));
    if (signals.watermarks === "insert_delete") {
      const { rows } = await client.query<{ name: string }>(
        `select attname::text as name from pg_attribute
         where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum limit 1`,
        [table],
      );
      const column = quoteName(rows[0]?.name ?? "id");
      await client.query(`delete from ${table} where ${column} = $1`, [`${id}-open`]);
      return;
    }
    const closedAt = new Date(settings.clock.nowMs()).toISOString();
    const closed = `{"openWindowTimestamp": "${openedAt}", "closeWindowTimestamp": "${closedAt}"}`;
    await client.query(insert, [`${id}-close`, "snapshot-window-close", closed]);
  }

  /**
   * While the lock is held all earlier writers have committed and are seen, and no other begins: so
   * the message stands between the changes that the chunk has and those that it hasn't.
   */
  async #underLock(progress: Progress, id: string, keep: (chunk: Chunk) => void): Promise<void> {
    const { client, settings, signal } = this.#options;
    const name = progress.tables[0]?.name ?? "";
    // One that was left out meanwhile may be gone: it is passed over.
    const isCaptured = settings.tables.some((table) => table.name === name);
    const lock = `lock table ${quoteTable(parseTableName(name))} in share mode`;
    while (!signal.aborted) {
      await client.query(`begin; set local lock_timeout = ${lockTimeoutMs}`);
      try {
        if (isCaptured) await client.query(lock);
        keep(await this.#next(progress, id, "first"));
        await client.query("select pg_logical_emit_message(true, $1, $2)", [markPrefix, id]);
        await client.query("commit");
        return;
      } catch (error) {
        await client.query("rollback");
        const isBusy = error instanceof DatabaseError && error.code === lockNotAvailable;
        if (!isBusy) throw error;
        await settings.clock.sleep(lockRetryMs, signal);
      }
    }
  }

  /** Rows of the first table that has some; of the first table alone where only that is locked. */
  async #next(begun: Progress, id: string, from: "first" | "all"): Promise<Chunk> {
    let progress = begun;
    while (isRunning(progress)) {
      const source = await this.#open(progress.tables[0] as QueuedTable);
      const last = source && (progress.last ?? (await this.#lastKey(source)));
      const rows = last ? await this.#rows(source, { ...progress, last }) : [];
      const final = rows.at(-1);
      if (source && last && final) {
        const after = source.key.map((name) => final[source.columns.indexOf(name)] ?? "");
        const { route, queued } = source;
        const told = { ...progress, after, last };
        return { id, table: queued.name, route, rows, progress: told };
      }
      progress = nextTable(progress);
      if (from === "first" || progress.tables[0]?.mark === "lock") break;
    }
    return { id, table: undefined, route: undefined, rows: [], progress };
  }

  /** Undefined where the table isn't captured, or has no key to go by. */
  async #open(queued: QueuedTable): Promise<Source | undefined> {
    const { tables, settings } = this.#options;
    const captured = settings.tables.find(({ name }) => name === queued.name);
    if (!captured) return undefined;
    const columns = tables.snapshotColumns(await tables.definition(captured));
    const route = await tables.tableRoute(captured, columns);
    if (!(route instanceof TableRoute)) return undefined;
    const { surrogateKey } = queued;
    const key = surrogateKey === undefined ? route.keyColumns : [surrogateKey];
    if (key.length === 0 || !key.every((name) => columns.includes(name))) return undefined;
    return { queued, route, columns, key };
  }

  async #lastKey({ queued, key }: Source): Promise<string[] | undefined> {
    const names = key.map(quoteName);
    const where = queued.filter === undefined ? "" : ` where (${queued.filter})`;
    const order = names.map((name) => `${name} desc nulls last`).join(", ");
    const [row] = await textRows(this.#options.client, {
      text: `select ${names.join(", ")} from ${tableOf(queued)}${where} order by ${order} limit 1`,
    });
    return row?.every((value) => value !== null) ? row : undefined;
  }

  async #rows(source: Source, progress: Progress): Promise<TextRow[]> {
    const { queued, key, columns } = source;
    const { limits, signals } = this.#options.settings;
    const { after = [], last = [] } = progress;
    const row = `(${key.map(quoteName).join(", ")})`;
    const parameters = (from: number): string =>
      `(${key.map((_, at) => `$${from + at}`).join(", ")})`;
    const conditions = [
      `${row} <= ${parameters(1)}`,
      ...(after.length > 0 ? [`${row} > ${parameters(key.length + 1)}`] : []),
      ...(queued.filter === undefined ? [] : [`(${queued.filter})`]),
    ];
    const rowsMax = queued.mark === "lock" ? limits.snapshotRowsMax : signals?.chunkRows;
    const text =
      `select ${columns.map(quoteName).join(", ")} from ${tableOf(queued)} ` +
      `where ${conditions.join(" and ")} order by ${key.map(quoteName).join(", ")} limit ${rowsMax}`;
    return textRows(this.#options.client, { text, values: [...last, ...after] });
  }
}

const tableOf = ({ name }: QueuedTable): string => quoteTable(parseTableName(name));

export const newChunkId = (): string => randomUUID();
