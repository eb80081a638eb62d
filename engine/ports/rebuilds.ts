import type { ReadPosition } from "./read-model-reader.ts";

/**
 * `planned` → `filling` → `proving` → `proved` → `swapped` → (`undone`); and from each of the first
 * four `abandoned` (asked for) or `failed` (can't go on). Those four are open: one projection has at
 * most one open rebuild.
 */
export type RebuildState =
  | "planned"
  | "filling"
  | "proving"
  /** The proof is made. It waits to be swapped: for an acceptance, or for its turn. */
  | "proved"
  | "swapped"
  | "undone"
  | "abandoned"
  | "failed";

/** What an operator wants of it now; what it does follows. */
export type RebuildWish = "run" | "pause" | "abandon" | "undo";

export type RebuildFrom =
  | { readonly kind: "earliest" }
  | { readonly kind: "time"; readonly atMs: number }
  /** Log offsets: the first record wanted, by topic and partition. Others begin at the start. */
  | {
      readonly kind: "positions";
      readonly offsets: readonly {
        readonly topic: string;
        readonly partition: number;
        readonly offset: bigint;
      }[];
    };

export interface RebuildRequest {
  readonly projection: string;
  readonly version: number;
  readonly from: RebuildFrom;
  /** Differences don't keep it from being swapped in. */
  readonly accept: boolean;
  /** Lag of the serving generation, in milliseconds, above which the shadow waits. */
  readonly lagBudgetMs: number;
  /** The undo window. */
  readonly keepMs: number;
  /** Who or what has asked for it, and why. */
  readonly by: string;
  readonly reason: string | undefined;
}

/** What a rebuild will read, and where it may begin. */
export interface RebuildPlan {
  /** `beginning`, a snapshot that was audited against the log, or (pure overwrites only) nothing. */
  readonly start:
    | { readonly kind: "beginning" }
    | { readonly kind: "snapshot"; readonly snapshot: bigint; readonly takenAtMs: number }
    | { readonly kind: "cold" };
  readonly partitions: readonly PlannedPartition[];
  readonly events: number;
  /** Of the log, estimated from a sample; undefined where nothing could be sampled. */
  readonly bytes: number | undefined;
  /** From a short measured sample; undefined likewise. */
  readonly seconds: number | undefined;
  /** Schemas that the sample has met, as `<type> <schema id>`. */
  readonly schemas: readonly string[];
  /** What the operator should know before. */
  readonly warnings: readonly string[];
}

export interface PlannedPartition {
  readonly topic: string;
  readonly partition: number;
  /** The first record to be read. */
  readonly from: bigint;
  readonly end: bigint;
  /** The first record that the log still has. */
  readonly start: bigint;
  /** Records that retention has taken: there is no way to read them. */
  readonly taken: bigint;
  readonly events: number;
  readonly bytes: number | undefined;
}

export interface RebuildProgress {
  readonly done: number;
  readonly total: number;
  readonly recordsPerSecond: number;
  /** Of the serving generation: now, and the most while the shadow worked. */
  readonly liveLagMs: number;
  readonly liveLagMaxMs: number;
  /** How long the shadow has waited for live traffic. */
  readonly throttledMs: number;
  /** Why it gets no further at the moment: an outage, or nobody's move but an operator's. */
  readonly waiting?: string | undefined;
}

/** One field of rows in both generations that differ, with a few of them. */
export interface FieldDifference {
  readonly field: string;
  readonly rows: number;
  readonly samples: readonly {
    readonly key: string;
    readonly live: string;
    readonly shadow: string;
  }[];
}

/** Two builds of a read model at exactly the same positions, compared. */
export interface RebuildProof {
  readonly positions: readonly ReadPosition[];
  readonly provedAtMs: number;
  /** How long the serving generation stood still for it. */
  readonly heldMs: number;
  readonly liveRows: number;
  readonly shadowRows: number;
  /** Of all buckets together, hexadecimal. */
  readonly liveDigest: string;
  readonly shadowDigest: string;
  readonly bucketsDiffering: readonly number[];
  /** Keys only in the shadow, only in the serving generation, in both with differences. */
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly addedSamples: readonly string[];
  readonly removedSamples: readonly string[];
  readonly fields: readonly FieldDifference[];
  /** Columns that only one of the two has, or has of another type: they are not compared. */
  readonly columnsAdded?: readonly string[];
  readonly columnsRemoved?: readonly string[];
  /** The shadow's stored rows, counted from nothing, give its digest. */
  readonly recount: "equal" | "differs";
  /** The second store: the same digests there, or why it can't be told. `none`: there is none. */
  readonly redis: "none" | "equal" | "differs" | "behind";
  /** The snapshot that the shadow began with, if any. */
  readonly snapshot: bigint | undefined;
  readonly liveVersion: number;
  readonly shadowVersion: number;
  /** Of the program that has made it. */
  readonly codeVersion: string;
  /** Where all differing rows are written down; undefined: there are none. */
  readonly file: string | undefined;
}

export interface RebuildFailure {
  readonly code: string;
  readonly message: string;
}

/** A wish with the one who had it. */
export interface RebuildAsk {
  readonly wish: RebuildWish;
  /** Who or what has asked for it, and why. */
  readonly by: string;
  readonly reason: string | undefined;
  readonly atMs: number;
}

export interface RebuildRecord {
  readonly id: bigint;
  readonly request: RebuildRequest;
  readonly state: RebuildState;
  readonly wish: RebuildWish;
  /** The last wish that somebody put their name to; left out: none since it was started. */
  readonly asked?: RebuildAsk;
  /** The generation that served when it began. */
  readonly base: number;
  /** The generation that it fills; undefined: none yet. */
  readonly shadow: number | undefined;
  readonly plan: RebuildPlan | undefined;
  readonly progress: RebuildProgress | undefined;
  readonly proof: RebuildProof | undefined;
  readonly failure: RebuildFailure | undefined;
  /** Milliseconds for which the last hold of a swap or undo kept the serving tasks still. */
  readonly swapHeldMs: number | undefined;
  /** The process that works on it; undefined: nobody does. */
  readonly conductor: string | undefined;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
  /** Of a swapped one: until when it can be undone. */
  readonly undoUntilMs: number | undefined;
}

/** What its conductor writes down; left out: as it was. */
export type RebuildChange = Partial<
  Pick<
    RebuildRecord,
    "state" | "shadow" | "plan" | "progress" | "proof" | "failure" | "swapHeldMs" | "undoUntilMs"
  >
> & { readonly accept?: boolean };

export type RebuildStart =
  | { readonly outcome: "started"; readonly record: RebuildRecord }
  /** The projection has an open rebuild. */
  | { readonly outcome: "open"; readonly record: RebuildRecord }
  /** It was never built: there is nothing that serves. */
  | { readonly outcome: "never-built" };

export interface WishOptions {
  readonly accept?: boolean;
  readonly by?: string;
  readonly reason?: string;
}

/**
 * Rebuilds, written down: what was asked for, how far each is, what it has proved. One process (the
 * conductor) works on a rebuild at a time; its lease runs out when it dies, and another goes on
 * from what is written.
 *
 * Failures: `TransientError`; `FencedError` from a conductor whose lease is another's by now.
 */
export interface Rebuilds {
  start(request: RebuildRequest): Promise<RebuildStart>;
  find(id: bigint): Promise<RebuildRecord | undefined>;
  /** Newest first. */
  list(filter: {
    readonly projection?: string;
    readonly states?: readonly RebuildState[];
    readonly limit: number;
  }): Promise<readonly RebuildRecord[]>;
  /**
   * Asks for something; `accept` allows differences, and `by` puts a name to it (see `asked`). False:
   * it is over, or was undone already.
   */
  wish(id: bigint, wish: RebuildWish, options?: WishOptions): Promise<boolean>;
  /** Takes or renews the lease; undefined: somebody else's, or there is no such rebuild. */
  lead(id: bigint, conductor: string, leaseMs: number): Promise<RebuildRecord | undefined>;
  /** Gives the lease back. */
  leave(id: bigint, conductor: string): Promise<void>;
  /** @throws FencedError when the lease isn't this conductor's. */
  change(id: bigint, conductor: string, change: RebuildChange): Promise<RebuildRecord>;
}
