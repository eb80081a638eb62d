import type { Columns } from "../columns.ts";
import type { Epoch } from "../position.ts";
import type { ReadPosition } from "./read-model-reader.ts";
import type { Generation, ReadModel } from "./read-model-store.ts";

/**
 * - `building`: a rebuild fills it; nobody reads it.
 * - `serving`: the pointer says so.
 * - `kept`: it has served, and is kept current until the undo window ends.
 * - `removing`: nothing of it is needed any more; it goes away slice by slice.
 */
export type GenerationRole = "building" | "serving" | "kept" | "removing";

/** A generation as it is listed. */
export interface GenerationInfo extends Generation {
  readonly role: GenerationRole;
  readonly columns: Columns;
  readonly createdAtMs: number;
  /** The rebuild that made it; undefined: the first one. */
  readonly rebuild: bigint | undefined;
  /** Of a kept one: the end of the undo window. Database clock. */
  readonly keptUntilMs: number | undefined;
}

/** What a new generation holds before its own reader begins. */
export interface GenerationStart {
  /** Rows and positions are the snapshot's. */
  readonly snapshot?: bigint;
  /** Positions of a cold start; partitions that are left out begin at the log's start. */
  readonly positions?: readonly ReadPosition[];
}

/** What must be true of both generations when the pointer moves; it is looked at under locks. */
export type SwapCondition =
  /** They stand at the same positions, with the same digests. */
  | "equal"
  /** They stand at the same positions; rows may differ, and that is accepted. */
  | "level"
  /** `to` has everything that `from` has, or more: no reader goes back. */
  | "reached";

export interface Swap {
  readonly projection: string;
  readonly from: number;
  readonly to: number;
  readonly condition: SwapCondition;
  /** How long `from` is kept current afterwards; 0: it is removed. */
  readonly keepMs: number;
}

export type SwapVerdict =
  | { readonly outcome: "swapped"; readonly atMs: number }
  /** `from` doesn't serve (any more), or `to` can't: somebody else has swapped, or removed it. */
  | { readonly outcome: "moved"; readonly serving: number }
  /** Their positions aren't as the condition asks. `<topic>/<partition>` of each. */
  | { readonly outcome: "apart"; readonly partitions: readonly string[] }
  /** They stand at the same place, and these buckets' digests differ. */
  | { readonly outcome: "differs"; readonly buckets: readonly number[] };

/** Tasks of this generation stand still while the hold is open. */
export interface GenerationHold {
  readonly id: bigint;
  readonly projection: string;
  readonly generation: number;
  /** Milliseconds that are left of it; then every task goes on by itself. */
  readonly leftMs: number;
}

/** A partition whose task has flushed everything and takes nothing more. */
export interface HeldPartition {
  readonly topic: string;
  readonly partition: number;
  /** Under which it stands: a claim that comes later raises it. */
  readonly epoch: Epoch;
}

/** One row to be made anew from the log, by the task that owns its partition. */
export interface HealAsk {
  readonly id: bigint;
  readonly projection: string;
  readonly generation: number;
  readonly key: string;
}

export type HealOutcome =
  /** The row was as the log has it, and its bucket's digest too. */
  | { readonly kind: "sound" }
  | { readonly kind: "healed"; readonly before: string | null; readonly after: string | null }
  | { readonly kind: "failed"; readonly reason: string };

/**
 * The builds of read models: which there are, which one serves, and what operators and rebuilds ask
 * of the tasks that keep them.
 *
 * Atomicity: each call is one transaction. The pointer moves only in `swap`, with the roles of both
 * generations, and only while its condition holds; of two swaps from the same generation one gets
 * `moved`.
 *
 * Failures: `TransientError`; FatalError `generation-unknown`.
 */
export interface Generations {
  /** In order of projection and number; all projections' where none is named. */
  list(projection?: string): Promise<readonly GenerationInfo[]>;
  /** A new generation that is being built, with its rows and positions, all at once. */
  create(model: ReadModel, start: GenerationStart, rebuild: bigint): Promise<Generation>;
  swap(swap: Swap): Promise<SwapVerdict>;
  /**
   * Says that a generation isn't needed any more.
   * @throws FatalError `generation-serves`.
   */
  retire(of: Pick<Generation, "projection" | "generation">): Promise<void>;
  /**
   * Removes a part of a generation whose role is `removing`, at most so many rows; `gone` when
   * nothing of it is left.
   */
  remove(
    of: Pick<Generation, "projection" | "generation">,
    rowsMax: number,
  ): Promise<"more" | "gone">;

  /** Asks the tasks of a generation to stand still, for at most so long. */
  hold(of: Pick<Generation, "projection" | "generation">, forMs: number): Promise<bigint>;
  /** Ends it; one that has ended already is none. */
  release(hold: bigint): Promise<void>;
  holds(): Promise<readonly GenerationHold[]>;
  /** Told by tasks: these partitions stand still. */
  stand(hold: bigint, partitions: readonly HeldPartition[]): Promise<void>;
  /** Which of a generation's partitions have said so, at the epoch that they still have. */
  standing(hold: bigint): Promise<readonly HeldPartition[]>;

  askHeal(of: Omit<HealAsk, "id">): Promise<bigint>;
  /** Unanswered ones, oldest first. */
  healAsks(limit: number): Promise<readonly HealAsk[]>;
  answerHeal(id: bigint, outcome: HealOutcome): Promise<void>;
  /** undefined: not answered yet. */
  healOutcome(id: bigint): Promise<HealOutcome | undefined>;

  /**
   * Gives a turn soon after anything above (or a rebuild's record) has changed, and at least every
   * half second: turns may come without a change, and several changes may make one turn. Ends when
   * `signal` aborts.
   */
  turns(signal: AbortSignal): AsyncIterable<void>;
}
