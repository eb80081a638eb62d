import type { CapturePosition } from "../../../engine/ports/capture-sink.ts";

/** A table whose rows are to be told while its changes flow. */
export interface QueuedTable {
  /** `schema.table`; one that isn't captured is passed over. */
  readonly name: string;
  /**
   * How a chunk finds its place in the stream. `signal`: between two rows of the signal table; rows
   * that change between them are left out. `lock`: by a message that is written while the table is
   * locked against writers, so that nothing can change in between.
   */
  readonly mark: "signal" | "lock";
  readonly filter?: string;
  readonly surrogateKey?: string;
}

/** How far incremental snapshots are; kept with the capture's position. */
export interface Progress {
  /** The first one is at work. */
  readonly tables: readonly QueuedTable[];
  /** Key of the last row that was told, as texts; undefined at a table's start. */
  readonly after?: readonly string[];
  /** The largest key that the table had when it was begun: rows beyond it come as changes. */
  readonly last?: readonly string[];
  readonly paused?: true;
}

export const noProgress: Progress = { tables: [] };

export const isRunning = ({ tables }: Progress): boolean => tables.length > 0;

/** Goes on with the next table. */
export function nextTable({ tables, paused }: Progress): Progress {
  return { tables: tables.slice(1), ...(paused ? { paused } : {}) };
}

export function progressText(progress: Progress): string | undefined {
  return isRunning(progress) ? JSON.stringify(progress) : undefined;
}

export function parseProgress(text: string | undefined): Progress {
  return text === undefined ? noProgress : (JSON.parse(text) as Progress);
}

/** The position with the rows of these tables to be told; one that waits already waits once. */
export function withAdded(position: CapturePosition, names: readonly string[]): CapturePosition {
  const before = parseProgress(position.incremental);
  const isQueued = (name: string): boolean =>
    before.tables.some((table) => table.name === name && table.mark === "lock");
  const added = names
    .filter((name) => !isQueued(name))
    .map((name) => ({ name, mark: "lock" }) as const);
  const incremental = progressText({ ...before, tables: [...before.tables, ...added] });
  return incremental === undefined ? position : { ...position, incremental };
}

/** Without those that were asked for by signals, where nobody reads signals any more. */
export function withoutSignals({ tables, after, last }: Progress): Progress {
  const locked = tables.filter(({ mark }) => mark === "lock");
  const isBegun = after && last && locked[0] === tables[0];
  return { tables: locked, ...(isBegun ? { after, last } : {}) };
}
