import type { AnyRow, Columns } from "../columns.ts";
import type { DeadLetter, LetterSettlement } from "./dead-letters.ts";
import type { AppendRequest, AppendVerdict } from "./event-store.ts";
import type { Advance, OwnedPartition } from "./read-model-store.ts";

export interface ProcessorModel {
  readonly processor: string;
  /** undefined: a processor without state. */
  readonly state: Columns | undefined;
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
}

export interface StateMutation {
  readonly key: string;
  readonly partition: number;
  readonly state: AnyRow | undefined;
}

export interface ProcessorFlush {
  readonly processor: string;
  readonly advances: readonly Advance[];
  readonly states: readonly StateMutation[];
  /** Appended last in the transaction, in this order, as a processor. */
  readonly appends: readonly AppendRequest[];
  readonly deadLetters: readonly DeadLetter[];
  /** What becomes of letters from before. */
  readonly settlements?: readonly LetterSettlement[];
}

/** `conflict`: nothing at all was written; the verdicts tell which requests to decide again. */
export type ProcessorFlushResult =
  | { readonly outcome: "committed"; readonly verdicts: readonly AppendVerdict[] }
  | { readonly outcome: "conflict"; readonly verdicts: readonly AppendVerdict[] };

/**
 * State of processors, and the one transaction in which state, position and appended events become
 * durable together. Fencing and failures as in `ReadModelStore`.
 */
export interface ProcessorStore {
  open(model: ProcessorModel): Promise<void>;
  claim(
    processor: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]>;
  load(processor: string, keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>>;
  flush(flush: ProcessorFlush): Promise<ProcessorFlushResult>;
  positions(processor: string): Promise<readonly Omit<OwnedPartition, "epoch">[]>;
}
