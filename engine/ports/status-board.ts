import type { Offset } from "../position.ts";

/** A task's state: see task/transitions for what may follow what. */
export type TaskState =
  "created" | "assigned" | "running" | "draining" | "fenced" | "halted" | "stopped";

/** What a process says of a partition that it works on. */
export interface TaskReport {
  /** Name of the projection, the processor, or `capture`. */
  readonly consumer: string;
  readonly kind: "projection" | "processor" | "capture";
  readonly generation: number | undefined;
  readonly topic: string;
  readonly partition: number;
  readonly state: TaskState;
  readonly nextOffset: Offset;
  /** Keys that wait behind a dead letter. */
  readonly parkedKeys: number;
  readonly recordsPerSecond: number;
  /** Recorded time of the last record applied. */
  readonly lastRecordedAtMs: number | undefined;
  /** When the task had last applied everything that the log held. */
  readonly currentAsOfMs: number | undefined;
  /** Why it halted, with the remedy. */
  readonly reason: string | undefined;
  /** How a store that follows this one's commits is brought them; left out where there is none. */
  readonly following?: FollowingReport | undefined;
}

export interface FollowingReport {
  /** Rows committed of the partition, of all its topics, that wait to be written there. */
  readonly rowsWaiting: number;
  /** Why it isn't followed now; undefined: it is. */
  readonly reason: string | undefined;
}

export interface BoardEntry extends TaskReport {
  readonly instance: string;
  readonly reportedAtMs: number;
}

/** Tasks' own reports, for `refold status`; never for decisions. */
export interface StatusBoard {
  /** Replaces all that this instance (a process) has reported before. */
  report(instance: string, reports: readonly TaskReport[]): Promise<void>;
  read(): Promise<readonly BoardEntry[]>;
}
