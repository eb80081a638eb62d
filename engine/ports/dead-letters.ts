import type { Offset } from "../position.ts";

/** A record set aside, whole. */
export interface DeadLetter {
  /** Name of the projection or processor that could not use it. */
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: Offset;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array | null }[];
  /** `failed`: this record can't work. `waiting`: an earlier record of its key failed. */
  readonly disposition: "failed" | "waiting";
  /** The error's code: `decode`, `fold`, `schema-unknown`, ... */
  readonly cause: string;
  readonly message: string;
  readonly stack: string | undefined;
}

export interface StoredDeadLetter extends DeadLetter {
  readonly id: bigint;
  readonly at: Date;
}

/** Written by flushes (with the position that passes the record), read here. */
export interface DeadLetters {
  /** Keys (as text) with at least one letter: their later records must wait behind it. */
  parkedKeys(consumer: string, topic: string, partition: number): Promise<ReadonlySet<string>>;
  list(options: {
    readonly consumer?: string;
    readonly after?: bigint;
    readonly limit: number;
  }): Promise<readonly StoredDeadLetter[]>;
  counts(): Promise<readonly { consumer: string; disposition: string; letters: number }[]>;
}
