import type { KeptOnce } from "../ports/alongside.ts";
import type { AppendedEvent } from "../ports/event-store.ts";
import type { Fact, Refusal } from "./definition.ts";

/** What became of a command. */
export type CommandResult<Answer = unknown> =
  | {
      readonly outcome: "accepted";
      readonly answer: Answer;
      /** Facts with what the store gave them; empty when nothing had to happen. */
      readonly recorded: readonly { readonly fact: Fact; readonly at: AppendedEvent }[];
      readonly recordedAtMs: number;
    }
  | { readonly outcome: "refused"; readonly refusal: Refusal; readonly recordedAtMs: number }
  /** The client's key stands for an answer already, or for one that is being made: nothing was done. */
  | { readonly outcome: "repeated"; readonly kept: KeptOnce }
  /** The store is held by an import: try later. */
  | { readonly outcome: "held"; readonly by: string };

/** What is known of a command once it is decided, before anything of it is recorded. */
export type CommandDecision<Answer = unknown> =
  | {
      readonly outcome: "accepted";
      readonly answer: Answer;
      /** Its own, and behind them those of the calls that followed it. */
      readonly facts: readonly Fact[];
    }
  | { readonly outcome: "refused"; readonly refusal: Refusal };

/** Where a command comes from; carried in its events' envelope. */
export interface Origin {
  /** The same for everything that one request leads to, however far away. */
  readonly correlationId: string;
  /** The event (or request) that this command answers: its events are that one's children. */
  readonly causationId?: string;
  /**
   * W3C trace context of whoever gives the command. Its events go on in that trace; left out or
   * invalid, in one whose id follows from the correlation id.
   */
  readonly traceparent?: string;
  /**
   * Makes the ids of its events (and `newId`) reproducible: a processor gives the source event's
   * id and the ordinal of the call. Left out: fresh ids.
   */
  readonly seed?: string;
  /**
   * When the command was given, in whole milliseconds: for a decider that appends as the holder of
   * the store's hold. It is decided at this time, and its facts are recorded at it.
   */
  readonly atMs?: number;
}
