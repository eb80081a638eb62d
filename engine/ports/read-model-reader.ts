import type { AnyRow } from "../columns.ts";
import type { Position } from "../position.ts";

/** Where a read model stood when an answer was read from it: one entry for each partition. */
export interface ReadPosition {
  readonly topic: string;
  readonly partition: number;
  readonly position: Position;
  /** Recorded time of the last record applied. */
  readonly lastRecordedAtMs: number | undefined;
}

export interface Answer<Result> {
  readonly result: Result;
  /** Read in the same snapshot as the result. */
  readonly positions: readonly ReadPosition[];
  readonly generation: number;
}

export interface FindRows {
  /** Columns that must equal these values. */
  readonly where?: AnyRow;
  /** Order: by these columns, then by the row's key. */
  readonly orderBy?: readonly { readonly column: string; readonly descending?: boolean }[];
  /** Cursor of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface CountRows {
  /** Columns that must equal these values. */
  readonly where?: AnyRow;
  /** A column that must have a lower value; a row that has null there is not counted. */
  readonly below?: { readonly column: string; readonly value: unknown };
}

export interface Page {
  readonly rows: readonly { readonly key: string; readonly row: AnyRow }[];
  /** undefined: this was the last page. */
  readonly next: string | undefined;
}

/**
 * Reads the serving generation; each call reads one generation and one snapshot from start to end,
 * whatever is swapped meanwhile. Its rows are those of the version that serves; columns that it
 * lacks are null where the reader knows which this code declares.
 *
 * @throws FatalError `no-generation` when the projection was never built; `cursor-invalid`
 * (RecordError) for a cursor that this order didn't make.
 */
export interface ReadModelReader {
  get(projection: string, key: string): Promise<Answer<AnyRow | undefined>>;
  find(projection: string, query: FindRows): Promise<Answer<Page>>;
  /** How many rows fit: for a row's place in an order. An index over the columns bounds its cost. */
  count(projection: string, query: CountRows): Promise<Answer<number>>;
  /** Positions only, for waiting (`Refold-Wait-For`) and readiness. */
  positions(projection: string): Promise<readonly ReadPosition[]>;
}
