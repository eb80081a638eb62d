import type { Client } from "pg";

import type { CaptureSettings } from "../options.ts";
import { encodeTuple, Tuple } from "../pgoutput/tuple.ts";
import type { Relation } from "../pgoutput/messages.ts";
import type { Tells } from "../routing/assembler.ts";
import { noTransaction, type Route } from "../routing/change.ts";
import { TableRoute } from "../routing/table-route.ts";
import { controlClient } from "../server/connections.ts";
import { CapturedTables } from "../tables/captured-tables.ts";
import { inHashOrder } from "../types/hash-order.ts";
import { ChunkReader, newChunkId, type Chunk } from "./chunk-reader.ts";
import type { Mark } from "./mark.ts";
import {
  isRunning,
  nextTable,
  progressText,
  withoutSignals,
  type Progress,
  type QueuedTable,
} from "./progress.ts";
import { readSignal, type Signal } from "./signal.ts";
import { SignalRoute, WatchedRoute, type Watcher } from "./watched-route.ts";

export interface IncrementalSnapshotOptions {
  readonly settings: CaptureSettings;
  readonly database: string;
  readonly progress: Progress;
  readonly onFailure: (error: unknown) => void;
}

/** A chunk on its way: asked for, read, and told when the stream comes to its closing mark. */
interface Window {
  readonly id: string;
  readonly begun: Progress;
  chunk: Chunk | undefined;
  open: boolean;
  /** Keys that changed since the opening mark, as `schema.table` and the record's key. */
  readonly touched: Set<string>;
}

/**
 * Tells the rows of tables while their changes flow, chunk by chunk. A chunk is told at its closing
 * mark, without the rows that changed since its opening one: those come as changes. What is told is
 * kept with the position, so that after a crash the chunk that was under way is read again.
 */
export class IncrementalSnapshot implements Watcher, AsyncDisposable {
  readonly #options: IncrementalSnapshotOptions;
  readonly #client: Client;
  readonly #reader: ChunkReader;
  readonly #stop = new AbortController();
  readonly #tuple = new Tuple();
  #progress: Progress;
  #window: Window | undefined;
  #connected: Promise<unknown> | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: IncrementalSnapshotOptions) {
    const { settings, database, progress } = options;
    this.#options = options;
    this.#progress = settings.signals ? progress : withoutSignals(progress);
    this.#client = controlClient(settings);
    this.#reader = new ChunkReader({
      client: this.#client,
      settings,
      // Its lookups must not stand between the statements of others.
      tables: new CapturedTables(settings, this.#client, database),
      signal: this.#stop.signal,
    });
  }

  /** What is to be kept with the position that is published now. */
  get kept(): string | undefined {
    return progressText(this.#progress);
  }

  /** Goes on where it was interrupted. */
  start(): void {
    this.#readNext();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
    await this.#client.end().catch(() => undefined);
  }

  /** Messages that mark chunks which were read under a lock. */
  readonly marks: Tells = {
    tell: ({ content, lsn }, transaction, emit) =>
      this.mark(content.toString("utf8"), { placed: { lsn, transaction }, emit }),
  };

  /** The route by which a table's changes are to go, for its rows to be told beside them. */
  watch(relation: Relation, route: Route | undefined): Route | undefined {
    if (!(route instanceof TableRoute)) return route;
    const { signals } = this.#options.settings;
    const name = `${relation.schema}.${relation.table}`;
    if (name === signals?.table) return new SignalRoute(route, this);
    return signals ? new WatchedRoute(name, route, this) : route;
  }

  /** A row was inserted into the signal table. */
  signal(id: string, about: { type: string; data: string | undefined }, at: Mark): void {
    const window = this.#window;
    if (window && id === `${window.id}-open`) window.open = true;
    else if (window && id === `${window.id}-close`) this.mark(window.id, at);
    else this.#do(readSignal(about.type, about.data));
  }

  /** A row was deleted from the signal table. */
  unsignal(id: string, at: Mark): void {
    const { signals } = this.#options.settings;
    if (signals?.watermarks !== "insert_delete") return;
    if (this.#window && id === `${this.#window.id}-open`) this.mark(this.#window.id, at);
  }

  /** A row of a table changed. */
  touched(table: string, key: Buffer | null): void {
    if (this.#window?.open && key) this.#window.touched.add(`${table} ${key.toString("latin1")}`);
  }

  /** Does anybody need to know which rows change? */
  get watches(): boolean {
    return this.#window?.open === true;
  }

  /** The stream has come to where a chunk belongs. Marks of captures before this one are passed. */
  mark(id: string, at: Mark): void {
    const window = this.#window;
    if (window?.id !== id || !window.chunk) return;
    this.#tell(window.chunk, window.touched, at);
    this.#progress = rebase(this.#progress, window.begun, window.chunk.progress);
    this.#window = undefined;
    this.#readNext();
  }

  #do(signal: Signal): void {
    const before = this.#progress;
    switch (signal.kind) {
      case "execute":
        this.#progress = { ...before, tables: [...before.tables, ...this.#queued(signal)] };
        if (!isRunning(before)) this.#readNext();
        return;
      case "stop":
        this.#progress = withoutTables(before, signal.tables.map(pattern));
        return;
      case "pause":
        if (isRunning(before)) this.#progress = { ...before, paused: true };
        return;
      case "resume": {
        const { paused: _, ...going } = before;
        this.#progress = going;
        if (before.paused && !this.#window) this.#readNext();
        return;
      }
      case "none":
        return;
      default:
        signal satisfies never;
    }
  }

  /** An expression that matches no table stands for itself. */
  #queued({ tables, filters, surrogateKey }: Signal & { kind: "execute" }): QueuedTable[] {
    const all = this.#options.settings.tables.map(({ name }) => [name, name] as const);
    const ordered = inHashOrder(all).map(([name]) => name);
    const names = tables.flatMap((text) => {
      const found = ordered.filter((name) => pattern(text).test(name));
      return found.length > 0 ? found : [text];
    });
    return [...new Set(names)].map((name) => {
      const filter = filters.find(({ table }) => pattern(table).test(name))?.filter;
      return {
        name,
        mark: "signal" as const,
        ...(filter === undefined ? {} : { filter }),
        ...(surrogateKey === undefined ? {} : { surrogateKey }),
      };
    });
  }

  #tell(chunk: Chunk, touched: ReadonlySet<string>, { placed, emit }: Mark): void {
    const { route, table } = chunk;
    if (!route || table === undefined) return;
    // It may have been stopped meanwhile.
    if (!this.#progress.tables.some(({ name }) => name === table)) return;
    const transaction = {
      ...placed.transaction,
      transactionId: noTransaction,
      origin: undefined,
      commitTimeUs: this.#options.settings.clock.nowMs() * 1000,
    };
    for (const row of chunk.rows) {
      this.#tuple.read(encodeTuple(row), 0);
      const change = { kind: "insert", row: this.#tuple } as const;
      const key = route.keyOf(this.#tuple);
      if (key && touched.has(`${table} ${key.toString("latin1")}`)) continue;
      route.snapshot({ change, lsn: placed.lsn, transaction }, emit, "incremental");
    }
  }

  #readNext(): void {
    if (!isRunning(this.#progress) || this.#progress.paused || this.#stop.signal.aborted) return;
    const window: Window = {
      id: newChunkId(),
      begun: this.#progress,
      chunk: undefined,
      open: false,
      touched: new Set(),
    };
    this.#window = window;
    this.#reading = this.#read(window).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.onFailure(error);
    });
  }

  async #read(window: Window): Promise<void> {
    this.#connected ??= this.#client.connect();
    await this.#connected;
    await this.#reader.read(window.begun, window.id, (chunk) => {
      window.chunk = chunk;
    });
  }
}

const pattern = (text: string): RegExp => {
  try {
    return new RegExp(`^(?:${text})$`, "i");
  } catch {
    return /^$/;
  }
};

/** Signals may have come while the chunk was read: what they changed of the queue stays changed. */
function rebase(now: Progress, begun: Progress, read: Progress): Progress {
  const passed = new Set(begun.tables.slice(0, begun.tables.length - read.tables.length));
  const tables = now.tables.filter((table) => !passed.has(table));
  const isPaused = now.paused ? { paused: true as const } : {};
  const { after, last } = read;
  const isThere = after && last && tables[0] === read.tables[0];
  return { tables, ...(isThere ? { after, last } : {}), ...isPaused };
}

/** A table that came to the capture is told whatever signals say: its rows would be missing. */
function withoutTables(progress: Progress, patterns: readonly RegExp[]): Progress {
  const isGone = ({ name, mark }: QueuedTable): boolean =>
    mark === "signal" && (patterns.length === 0 || patterns.some((one) => one.test(name)));
  if (progress.tables.every(isGone)) return { tables: [] };
  const [first] = progress.tables;
  const rest = progress.tables.slice(1).filter((table) => !isGone(table));
  if (first && isGone(first)) return { ...nextTable(progress), tables: rest };
  return { ...progress, tables: first ? [first, ...rest] : [] };
}
