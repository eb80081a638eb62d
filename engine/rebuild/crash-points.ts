/**
 * Every boundary at which a conductor may die with something half done. Tests kill it at each of
 * them and demand that another one goes on to the same end.
 */
export const rebuildCrashPoints = [
  /** The lease is taken; nothing is looked at. */
  "led",
  /** The plan is made; nobody knows it. */
  "planned",
  /** The shadow is there; the rebuild's record doesn't name it. */
  "shadow-created",
  /** The record names the shadow; nothing is folded. */
  "shadow-noted",
  /** The shadow is where the serving generation was a while ago. */
  "round-filled",
  /** It is close enough to be compared. */
  "close-noted",
  /** The serving tasks are asked to stand still. */
  "hold-asked",
  /** They stand still. */
  "hold-standing",
  /** Both generations stand at the same place. */
  "levelled",
  /** The view is open; the hold isn't released. */
  "viewed",
  /** The serving tasks may go on; nothing is compared. */
  "hold-released",
  /** The proof is made; nobody knows it. */
  "compared",
  "proof-noted",
  /** Both stand at the same place for the swap. */
  "swap-levelled",
  /** The pointer has moved; the record doesn't say so. */
  "swap-made",
  "swap-noted",
  /** What serves stands still for an undo. */
  "undo-held",
  /** The kept generation has everything that it has. */
  "undo-reached",
  /** The pointer has moved back; the record doesn't say so. */
  "undo-made",
  "undo-noted",
  /** It is over without a swap; its shadow is still there. */
  "end-noted",
  /** The shadow is given up; it is there still. */
  "shadow-retired",
] as const;

export type RebuildCrashPoint = (typeof rebuildCrashPoints)[number];

/** Called at every boundary; a test's probe throws a `CrashSignal` there. */
export interface RebuildProbe {
  at(point: RebuildCrashPoint): void;
}

export const noRebuildProbe: RebuildProbe = { at: () => undefined };
