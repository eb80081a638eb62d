import type { Generations } from "../../engine/ports/generations.ts";
import type { RebuildRecord, Rebuilds } from "../../engine/ports/rebuilds.ts";
import { isOver } from "./shape.ts";

export interface WatchOptions {
  readonly rebuilds: Pick<Rebuilds, "find">;
  readonly generations: Pick<Generations, "turns">;
  readonly signal: AbortSignal;
}

/**
 * Gives a rebuild's record now and after each change, as fast as the caller takes it, until it is
 * over: then it ends with that. Records between two looks are left out. Nothing comes of a rebuild
 * that isn't there.
 */
export async function* watchRebuild(
  id: bigint,
  { rebuilds, generations, signal }: WatchOptions,
): AsyncGenerator<RebuildRecord, void> {
  let seen: string | undefined;
  for await (const _ of generations.turns(signal)) {
    const record = await rebuilds.find(id);
    if (record === undefined) return;
    const mark = markOf(record);
    if (mark !== seen) yield record;
    seen = mark;
    if (isOver(record)) return;
  }
}

/** Leases come and go without a change of the record's time. */
const markOf = ({ changedAtMs, state, wish, conductor, progress }: RebuildRecord): string =>
  [changedAtMs, state, wish, conductor, progress?.done, progress?.waiting].join(" ");
