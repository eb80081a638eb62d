import { invariant } from "../errors.ts";
import type { Epoch, Position } from "../position.ts";
import type { Advance, OwnedPartition } from "../ports/read-model-store.ts";
import type { TaskState } from "../ports/status-board.ts";
import { Coordinates } from "./coordinates.ts";
import { assertTransition } from "./transitions.ts";

export interface TaskPartitionOptions {
  readonly owned: OwnedPartition;
  readonly logId: string;
  /** Where to begin when nothing was ever applied. */
  readonly startOffset: number;
  /** The log still holds the lane's first record, so an unknown lane begins at sequence 1. */
  readonly holdsFirstRecord: boolean;
  /** Keys that have dead letters already. */
  readonly parkedKeys?: ReadonlySet<string>;
}

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
  /** Parked keys, each with the offset of the record that parked it; -1: known from before. */
  readonly parked: Map<string, number>;
  /** Letters that wait behind another since the partition was claimed. */
  waitingLetters = 0;
  /** `waitingLetters` as the last flush that was taken, and the last that is durable, leave it. */
  #waitingTaken = 0;
  #waitingDurable = 0;
  /** Recorded time of the last record folded. */
  lastRecordedAtMs: number | undefined;
  /** Records folded or dropped since the last flush was taken. */
  openRecords = 0;
  /** Records folded or dropped since the partition was claimed. */
  records = 0;
  reason: string | undefined;
  #state: TaskState = "created";
  readonly #startOffset: number;

  constructor(options: TaskPartitionOptions) {
    const { owned } = options;
    this.topic = owned.topic;
    this.partition = owned.partition;
    this.epoch = owned.epoch;
    this.logId = options.logId;
    this.holdsFirstRecord = options.holdsFirstRecord;
    this.#startOffset = options.startOffset;
    this.parked = new Map([...(options.parkedKeys ?? [])].map((key) => [key, -1]));
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

  halt(reason: string): void {
    if (this.#state === "halted") return;
    this.transit("halted");
    this.reason = reason;
  }

  /** Goes back to what is durable: everything after it is to be folded again. */
  rewind(): void {
    this.staged.reset(this.committed, this.#startOffset);
    this.folded.copy(this.staged);
    this.flushed = this.committed;
    this.fetchedOffset = this.staged.nextOffset;
    this.openRecords = 0;
    // Their letters are void too: the records are met again, and set aside for what they do then.
    for (const [key, at] of this.parked) if (at >= this.staged.nextOffset) this.parked.delete(key);
    this.waitingLetters = this.#waitingDurable;
    this.#waitingTaken = this.#waitingDurable;
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
    this.#waitingTaken = this.waitingLetters;
    return { ...advance, records };
  }

  /** The flush that was taken last is durable. */
  commit(to: Position, epoch: Epoch): void {
    this.committed = to;
    this.epoch = epoch;
    this.#waitingDurable = this.#waitingTaken;
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
