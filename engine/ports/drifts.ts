import type { Generation } from "./read-model-store.ts";

/** A stored row that an audit has found to be other than the history gives. */
export interface Drift {
  readonly projection: string;
  readonly generation: number;
  readonly key: string;
  /** `missing`: not stored; `extra`: stored, and the history gives none; `changed`: other values. */
  readonly kind: "missing" | "extra" | "changed";
  /** Columns that differ; empty where one of the rows is missing. */
  readonly fields: readonly string[];
  readonly foundAtMs: number;
}

/**
 * Drift that audits have found and nobody has mended, for all processes to see. Bounded: a
 * generation keeps `keysMax` of its keys, which is enough to know that it must be rebuilt.
 *
 * Failures: `TransientError`.
 */
export interface Drifts {
  /** Writes down one key; one that is known already is replaced. */
  note(drift: Omit<Drift, "foundAtMs">): Promise<void>;
  /** The row is as the history gives it; one that isn't listed is none. */
  clear(of: Pick<Generation, "projection" | "generation">, key: string): Promise<void>;
  /** Of generations that serve, in order of projection and key. */
  list(projection?: string): Promise<readonly Drift[]>;
}
