import type { AnyRow } from "../columns.ts";

/** Takes all differing rows of one proof, however many: a proof itself keeps a few samples. */
export interface DifferenceSink {
  /** In order of key. */
  write(
    rows: readonly {
      readonly key: string;
      /** undefined: the generation has no such row. */
      readonly live: AnyRow | undefined;
      readonly shadow: AnyRow | undefined;
      readonly fields: readonly string[];
    }[],
  ): Promise<void>;
  /** @returns Where they are written down; undefined: nothing was written. */
  close(): Promise<string | undefined>;
  /** The proof came to nothing: what was written is of no use. */
  discard(): Promise<void>;
}

/** Begins a new one for each proof of a rebuild. */
export type OpenDifferenceSink = (rebuild: bigint) => Promise<DifferenceSink>;
