import { FatalError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { GenerationInfo, Generations } from "../ports/generations.ts";
import type { Rebuilds } from "../ports/rebuilds.ts";
import { isOpenRebuild } from "../rebuild-states.ts";
import { wantsUndo } from "./wants-undo.ts";

export interface SweepOptions {
  readonly rebuilds: Pick<Rebuilds, "find" | "list">;
  readonly generations: Pick<Generations, "list" | "retire" | "remove">;
  readonly clock: Clock;
  /** Rows removed at once, */
  readonly sliceRows?: number;
  /** and how long is waited before the next. */
  readonly pauseMs?: number;
}

export interface Swept {
  /** Shadows that no open rebuild fills. */
  readonly orphans: readonly GenerationInfo[];
  /** Kept ones whose undo window is over. */
  readonly expired: readonly GenerationInfo[];
  readonly removed: readonly GenerationInfo[];
}

const swappedLooked = 100;

/**
 * Finds generations that nobody needs any more, and removes them slice by slice: left over by a
 * conductor that died, or kept until an undo window that is over. Any number of processes may do
 * so at once.
 */
export async function sweep(options: SweepOptions, signal: AbortSignal): Promise<Swept> {
  const { generations } = options;
  const orphans: GenerationInfo[] = [];
  const expired: GenerationInfo[] = [];
  for (const one of await generations.list()) {
    if (await isOrphan(options, one)) await retire(options, one, orphans);
    if (await isExpired(options, one)) await retire(options, one, expired);
  }
  const removed: GenerationInfo[] = [];
  for (const one of await generations.list()) {
    if (one.role !== "removing" || signal.aborted) continue;
    if (await remove(options, one, signal)) removed.push(one);
  }
  return { orphans, expired, removed };
}

async function isOrphan(
  { rebuilds }: SweepOptions,
  { role, rebuild, generation }: GenerationInfo,
): Promise<boolean> {
  if (role !== "building" || rebuild === undefined) return false;
  const record = await rebuilds.find(rebuild);
  if (record === undefined || !isOpenRebuild(record)) return true;
  // Two conductors have made one each, and the record names the one that counts.
  return record.shadow !== undefined && record.shadow !== generation;
}

async function isExpired(
  { rebuilds, clock }: SweepOptions,
  { role, keptUntilMs, projection }: GenerationInfo,
): Promise<boolean> {
  if (role !== "kept" || keptUntilMs === undefined || keptUntilMs > clock.nowMs()) return false;
  const filter = { projection, states: ["swapped"], limit: swappedLooked } as const;
  const swapped = await rebuilds.list(filter);
  // Somebody has asked in time.
  return !swapped.some((one) => wantsUndo(one) && one.undoUntilMs === keptUntilMs);
}

async function retire(
  { generations }: SweepOptions,
  one: GenerationInfo,
  into: GenerationInfo[],
): Promise<void> {
  try {
    await generations.retire(one);
    into.push(one);
  } catch (error) {
    // Swapped in since it was listed.
    if (!(error instanceof FatalError && error.code === "generation-serves")) throw error;
  }
}

/** @returns false when the signal ended it before nothing was left. */
async function remove(
  { generations, clock, sliceRows = 5_000, pauseMs = 20 }: SweepOptions,
  one: GenerationInfo,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    if ((await generations.remove(one, sliceRows)) === "gone") return true;
    await clock.sleep(pauseMs, signal);
  }
  return false;
}
