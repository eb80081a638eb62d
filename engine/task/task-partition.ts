import { classify, reasonOf } from "../error-policy.ts";
import { invariant, RefoldError } from "../errors.ts";
import type { Epoch, Position } from "../position.ts";
import type { ParkedKey } from "../ports/dead-letters.ts";
import type { Advance, OwnedPartition } from "../ports/read-model-store.ts";
import type { TaskState } from "../ports/status-board.ts";
import { Coordinates } from "./coordinates.ts";
import { ParkedKeys } from "./parked-keys.ts";
import { assertTransition } from "./transitions.ts";

export interface TaskPartitionOptions {
  readonly owned: OwnedPartition;
  readonly logId: string;
  /** Where to begin when nothing was ever applied. */
  readonly startOffset: number;
  /** The log still holds the lane's first record, so an unknown lane begins at sequence 1. */
  readonly holdsFirstRecord: boolean;
  /** Keys that have open dead letters already. */
  readonly parkedKeys?: readonly ParkedKey[];
  /** Offsets of records that operators have left out: they are passed over. */
  readonly discarded?: ReadonlySet<number> | undefined;
  /** Values that operators have given records, by offset: taken in place of their own. */
  readonly edited?: ReadonlyMap<number, Uint8Array> | undefined;
}

/**
 * What may bring a halted partition back: `time` (an outage passes, a lane with a hole is mended),
 * `letters` (there were too many, and some are settled), or nothing but a person and a new start.
 */
export type Recovery = "time" | "letters" | "none";

/** One partition of one topic in a task: how far it is, in each stage. */
export class TaskPartition {
  readonly topic: string;
  readonly partition: number;
  readonly logId: string;
  readonly holdsFirstRecord: boolean;
  epoch: Epoch;
  /** What is durable. */
  committed: Position | undefined;
  /** Where the last flush that was taken ends: where the next one begins. */
  flushed: Position | undefined;
  /** Passed by decoding; ahead of `folded` while a chunk waits for its rows. */
  readonly staged = new Coordinates();
  readonly folded = new Coordinates();
  /** The end of what has arrived. */
  fetchedOffset: number;
  /** The incarnation's bytes, to compare each record's with; undefined while it isn't known. */
  incarnationBytes: Buffer | undefined;
  readonly parked = new ParkedKeys();
  readonly discarded: ReadonlySet<number> | undefined;
  readonly edited: ReadonlyMap<number, Uint8Array> | undefined;
  /** Recorded time of the last record folded. */
  lastRecordedAtMs: number | undefined;
  /** Records folded or dropped since the last flush was taken. */
  openRecords = 0;
  /** Records folded or dropped since the partition was claimed. */
  records = 0;
  reason: string | undefined;
  /** Of a halted partition. */
  recovery: Recovery = "none";
  #state: TaskState = "created";
  readonly #startOffset: number;

  constructor(options: TaskPartitionOptions) {
    const { owned } = options;
    this.topic = owned.topic;
    this.partition = owned.partition;
    this.epoch = owned.epoch;
    this.logId = options.logId;
    this.holdsFirstRecord = options.holdsFirstRecord;
    this.discarded = options.discarded;
    this.edited = options.edited;
    this.#startOffset = options.startOffset;
    this.parked.reset(options.parkedKeys ?? []);
    this.committed = owned.position;
    this.fetchedOffset = 0;
    this.rewind();
    this.transit("assigned");
  }

  get name(): string {
    return `${this.topic}/${this.partition}`;
  }

  get state(): TaskState {
    return this.#state;
  }

  /** Does it still take records? */
  get active(): boolean {
    return this.#state === "running" || this.#state === "assigned";
  }

  transit(to: TaskState): void {
    assertTransition(this.#state, to, this.name);
    this.#state = to;
  }

  halt(error: unknown): void {
    if (this.#state === "halted") return;
    this.transit("halted");
    this.reason = reasonOf(error);
    this.recovery = recoveryFrom(error);
  }

  /** Goes back to what is durable: everything after it is to be folded again. */
  rewind(): void {
    this.staged.reset(this.committed, this.#startOffset);
    this.folded.copy(this.staged);
    this.flushed = this.committed;
    this.fetchedOffset = this.staged.nextOffset;
    this.openRecords = 0;
    this.parked.rewind();
    const { incarnation } = this.staged;
    this.incarnationBytes = incarnation === "" ? undefined : Buffer.from(incarnation, "utf8");
  }

  /** Closes the open batch for this partition; undefined when it hasn't moved. */
  take(): Advance | undefined {
    const from = this.flushed;
    const begin = from ? Number(from.nextOffset) : this.#startOffset;
    if (this.folded.nextOffset === begin) return undefined;
    const to = this.folded.position(this.logId);
    const { topic, partition, epoch, lastRecordedAtMs } = this;
    const advance = { topic, partition, epoch, from, to, lastRecordedAtMs };
    const records = this.openRecords;
    this.openRecords = 0;
    this.flushed = to;
    return { ...advance, records };
  }

  /**
   * An advance for a flush that only settles letters: it moves the offset nowhere. Everything that
   * was folded before must be durable.
   */
  stand(): Advance {
    const from = this.flushed;
    invariant(from !== undefined, `${this.name} has letters, so something of it was flushed.`);
    const to = this.folded.position(this.logId);
    invariant(from.nextOffset === to.nextOffset, `${this.name} has an open batch.`);
    const { topic, partition, epoch } = this;
    this.flushed = to;
    return { topic, partition, epoch, from, to, records: 0, lastRecordedAtMs: undefined };
  }

  /** The flush that was taken last is durable. */
  commit(to: Position, epoch: Epoch): void {
    this.committed = to;
    this.epoch = epoch;
    this.parked.commit(Number(to.nextOffset));
  }

  /** `committed <= flushed <= folded <= fetched`, after every step. */
  assertOrder(): void {
    const committed = this.committed ? Number(this.committed.nextOffset) : this.#startOffset;
    const flushed = this.flushed ? Number(this.flushed.nextOffset) : this.#startOffset;
    const folded = this.folded.nextOffset;
    invariant(
      committed <= flushed &&
        flushed <= folded &&
        folded <= this.staged.nextOffset &&
        this.staged.nextOffset <= this.fetchedOffset,
      `${this.name} is out of order: committed ${committed}, flushed ${flushed}, folded ` +
        `${folded}, staged ${this.staged.nextOffset}, fetched ${this.fetchedOffset}.`,
    );
  }
}

function recoveryFrom(error: unknown): Recovery {
  if (classify(error) === "retry") return "time";
  if (!(error instanceof RefoldError)) return "none";
  // Nothing tells that a lane was published again: it is read again from time to time.
  if (error.code === "hole") return "time";
  return letterLimits.has(error.code) ? "letters" : "none";
}

const letterLimits: ReadonlySet<string> = new Set(["waiting-letters", "failed-letters"]);
