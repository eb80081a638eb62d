import type { GlobalPosition, Sequence } from "../position.ts";
import type { Alongside, KeptOnce } from "./alongside.ts";
import type { Appended } from "./appended.ts";

export type { Appended, AppendedEvent } from "./appended.ts";

/** An event to append, already routed and framed. */
export interface NewEvent {
  /**
   * Unique for ever; appending an id again gives what it got the first time, and leaves it as it
   * is, whatever else the request brings.
   */
  readonly id: string;
  /** Full name of its type: `refold.modules.ModuleOffered`. */
  readonly type: string;
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  /** Avro in the Confluent wire format. */
  readonly value: Uint8Array;
  /** `<kind>:<id>`, distinct. */
  readonly tags: readonly string[];
  readonly correlationId: string;
  readonly causationId?: string;
  readonly traceparent?: string;
  /**
   * When it happened, in whole milliseconds, told by the holder of the store's hold; requests of
   * others that have it are a mistake of the program. It is recorded at this time, or at the last
   * of its lane if that is later, and the hold's clock moves on to it with the append. Left out:
   * the store's clock.
   */
  readonly recordedAtMs?: number;
}

/** An event as the store keeps it. */
export interface StoredEvent extends Omit<NewEvent, "value"> {
  readonly position: GlobalPosition;
  readonly sequence: Sequence;
  readonly value: Buffer;
  /** Whole milliseconds: the database's clock (or the import's) under the lane lock. */
  readonly recordedAtMs: number;
  /** The life of the store in which it was recorded. */
  readonly incarnation: string;
}

/**
 * An event matches an item when its type is one of `types` (left out: any) and it carries all of
 * `tags` (left out: none asked). A query matches when any item does; no items match everything.
 */
export interface QueryItem {
  readonly types?: readonly string[];
  readonly tags?: readonly string[];
}

/** A query item of which only later events are wanted. */
export interface ReadItem extends QueryItem {
  readonly after?: GlobalPosition;
}

/**
 * Nothing that matches the item may have come after this position. It is the position of the last
 * event read for this item, not for others: one with a lower position but another tag may commit
 * later.
 */
export interface ConditionItem extends QueryItem {
  readonly after: GlobalPosition;
}

/** The recorded time must lie in [notBeforeMs, beforeMs). */
export interface TimeBounds {
  readonly notBeforeMs?: number;
  readonly beforeMs?: number;
}

export interface AppendRequest {
  /** May be empty: then only the condition is checked (a refusal that must still be true). */
  readonly events: readonly NewEvent[];
  /** All must hold. An empty list sets no condition. */
  readonly condition: readonly ConditionItem[];
  readonly time?: TimeBounds;
  readonly alongside?: Alongside;
}

/** A verdict is a value; errors are for what the caller didn't ask about (an outage). */
export type AppendVerdict =
  | Appended
  | {
      readonly outcome: "conflict";
      /** Events that match an item after its position, in order of position; all, unless cut. */
      readonly newer: readonly StoredEvent[];
      /** True when there were more than are returned: read the rest. */
      readonly cut: boolean;
    }
  /** The store's clock lies outside the time bounds. */
  | { readonly outcome: "out-of-time"; readonly recordedAtMs: number }
  /** Keys of the request (`OnceMark`) that were used before, or are being used. */
  | { readonly outcome: "repeated"; readonly kept: readonly KeptOnce[] }
  /** An import holds the store: only processors may append. */
  | { readonly outcome: "held"; readonly by: string };

export interface AppendOptions {
  /** `command`: refused while the store is held; `processor`: goes on; the holder names its hold. */
  readonly as: "command" | "processor" | { readonly holder: string };
}

export interface ReadEvents {
  /** Left out or empty: all events. */
  readonly items?: readonly ReadItem[];
  /** Only events of this topic (and partition, and key). */
  readonly lane?: { readonly topic: string; readonly partition?: number; readonly key?: string };
  /** Only events of this business transaction. */
  readonly correlationId?: string;
  /** Only the event of this id. */
  readonly id?: string;
  readonly after?: GlobalPosition;
  /** Inclusive. */
  readonly upTo?: GlobalPosition;
  /** Only events recorded at or before this time. */
  readonly atMs?: number;
  readonly limit?: number;
  /** Of positions; `ascending` by default. A subscription is always ascending. */
  readonly order?: "ascending" | "descending";
}

/** Ends of a lane. */
export interface LaneEnd {
  readonly topic: string;
  readonly partition: number;
  /** 0 before the first event. */
  readonly lastSequence: Sequence;
  readonly lastEventId?: string;
  readonly lastRecordedAtMs: number;
}

/**
 * The event store: facts, appended under conditions (a dynamic consistency boundary,
 * https://dcb.events/specification/). It is also the outbox: capture publishes what is inserted.
 *
 * Ordering: within a lane, sequence order is commit order and gapless. Positions are unique and
 * rise, but a lower one may commit after a higher one: decisions are safe (their conditions are
 * checked under locks), subscribers stay below `safePosition`.
 *
 * Atomicity: a request is appended whole or not at all. Requests that wait are gathered into one
 * call, each with its own verdict; within a call a later request sees the earlier ones' events.
 */
export interface EventStore {
  append(request: AppendRequest, options: AppendOptions): Promise<AppendVerdict>;
  /**
   * Decides under the lock: takes the stripes of the condition, gives the newer matching events to
   * `decide`, and appends what it returns in the same transaction. For a decision that has met
   * too many conflicts.
   */
  appendLocked(
    condition: readonly ConditionItem[],
    decide: (newer: readonly StoredEvent[]) => AppendRequest,
    options: AppendOptions,
  ): Promise<AppendVerdict>;
  /**
   * Committed events in order of position, in pages of at most `pageSize` (default 1,000), all of
   * one snapshot. What has not committed yet is simply not there: a lower position may appear
   * later, though never below an event that carries the same tag.
   */
  read(query: ReadEvents, options?: { readonly pageSize?: number }): AsyncIterable<StoredEvent[]>;
  /** Below or at this position nothing can still commit. */
  safePosition(): Promise<GlobalPosition>;
  /** Like `read` after a position, never passing the safe position; waits for more until aborted. */
  subscribe(query: ReadEvents, signal: AbortSignal): AsyncIterable<StoredEvent[]>;
  lanes(topic: string): Promise<readonly LaneEnd[]>;
  /** The store's clock now: the database's, or the import's while it holds the store. */
  nowMs(): Promise<number>;
  /** Names the life of this store: store id, system identifier, timeline. */
  incarnation(): Promise<string>;
}
