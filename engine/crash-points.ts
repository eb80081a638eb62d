/**
 * Every boundary at which a process may die with something half done. Tests crash at each of them
 * and demand that nothing is lost or doubled. These are a task's.
 */
export const crashPoints = [
  /** Partitions are claimed in the store; the task doesn't know it yet. */
  "claimed",
  /** Bytes have arrived; nothing is decoded. */
  "fetched",
  /** Records are decoded; the rows that they touch are not loaded. */
  "staged",
  /** Rows are loaded; nothing is folded. */
  "loaded",
  /** A chunk is folded; it is in memory only. */
  "folded",
  /** The batch is closed; the store knows nothing of it. */
  "flush-taken",
  /** A processor's calls are decided; the store knows nothing of it. */
  "flush-planned",
  /** The store was about to be asked (again). */
  "flush-sent",
  /** The store has committed; the task doesn't know it yet. */
  "flush-committed",
  /** The task knows that the flush is committed. */
  "flush-noted",
  /** Everything is flushed for a hold; who holds doesn't know it yet. */
  "held",
  /** Everything is flushed before partitions are given back. */
  "drained",
] as const;

/** Those of whoever performs effects. */
export const effectCrashPoints = [
  /** The ledger says that tries have begun; nobody was asked anything. */
  "effects-taken",
  /** The other side has answered; nothing is decided on it. */
  "effect-performed",
  /** The answer and what follows from it are durable; whoever made the try doesn't know it yet. */
  "effect-settled",
] as const;

/** Those of whoever waits for deadlines. */
export const deadlineCrashPoints = [
  /** Deadlines have passed; nothing is decided. */
  "deadlines-found",
  /** What follows is durable; the deadlines are still there. */
  "deadlines-decided",
] as const;

export type CrashPoint =
  | (typeof crashPoints)[number]
  | (typeof effectCrashPoints)[number]
  | (typeof deadlineCrashPoints)[number];

/** Those that a task passes: only a processor's has decisions to plan, only generations are held. */
export const crashPointsOf = {
  projection: crashPoints.filter((point) => point !== "flush-planned"),
  processor: crashPoints.filter((point) => point !== "held"),
} as const satisfies Record<string, readonly CrashPoint[]>;

/** Called at every boundary; a test's probe throws a `CrashSignal` there. */
export interface Probe {
  at(point: CrashPoint): void;
}

export const noProbe: Probe = { at: () => undefined };
