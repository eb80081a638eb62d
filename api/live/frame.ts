/**
 * What a system is doing, told once a second to all who watch. null is what isn't known: never 0.
 * Times are milliseconds since 1970 (UTC) where nothing else is said.
 */
export interface LiveFrame {
  readonly atMs: number;
  /** How long it took to find all this out, in milliseconds. */
  readonly gatheredInMs: number;
  readonly commands: CommandRates;
  readonly capture: { readonly state: string; readonly lagBytes: number | null };
  readonly consumers: readonly LiveConsumer[];
  /** How many of each kind stand how; null: it couldn't be counted. */
  readonly sagas: Readonly<Record<string, SagaCount | null>>;
  /** The newest ones, open or over. */
  readonly rebuilds: readonly LiveRebuild[];
  /** Calls of the outside world that are not done. */
  readonly effects: readonly LiveEffect[];
  /** Letters that are neither redriven nor discarded. */
  readonly deadLetters: number;
}

/** Commands that this process has decided since the frame before; null in the first. */
export interface CommandRates {
  readonly acceptedPerSecond: number | null;
  readonly refusedPerSecond: number | null;
  /** By the refusal's code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Requests with a command that were answered 429 or 503: none was decided. */
  readonly turnedAwayPerSecond: number | null;
}

export interface LiveConsumer {
  readonly name: string;
  readonly kind: "projection" | "processor";
  readonly state: string;
  readonly reason: string | null;
  readonly lagRecords: number;
  readonly lagSeconds: number;
  /** Of all processes. */
  readonly recordsPerSecond: number;
  /** Since it had applied all that its source held. */
  readonly freshnessMs: number | null;
}

export interface SagaCount {
  readonly countedAtMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface LiveRebuild {
  readonly id: string;
  readonly projection: string;
  readonly state: string;
  readonly done: number | null;
  readonly of: number | null;
  readonly recordsPerSecond: number | null;
  /** Why it gets no further at the moment. */
  readonly waiting: string | null;
  /** null: not compared yet. */
  readonly proof: LiveProof | null;
  readonly reason: string | null;
  readonly failure: string | null;
}

export interface LiveProof {
  readonly equal: boolean;
  readonly rows: number;
  readonly differing: number;
}

export interface LiveEffect {
  readonly kind: string;
  readonly requested: number;
  readonly started: number;
  readonly failed: number;
  readonly oldestSeconds: number;
}
