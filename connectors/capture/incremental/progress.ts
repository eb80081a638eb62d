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
