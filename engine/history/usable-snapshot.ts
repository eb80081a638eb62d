import type { SnapshotInfo, Snapshots } from "../ports/snapshots.ts";
import { type Cuts, cutOf } from "../replay/cuts.ts";

/** What a fold may begin with. */
export interface SnapshotWanted {
  readonly projection: string;
  readonly version: number;
  /** It must not be beyond any of them. */
  readonly cuts: Cuts;
  /**
   * Of cuts that stand for a time: it must hold nothing that was recorded later. Cuts alone don't
   * tell, where retention has taken the records about the time: they say where the log begins then.
   */
  readonly atMs?: number | undefined;
  /** Only these partitions count; left out: all. */
  readonly partitions?: ReadonlySet<number>;
  /** Only snapshots that are older (by id); left out: all. */
  readonly before?: bigint;
}

/**
 * The newest snapshot that was audited against the log, was not refuted, belongs to the version, and
 * holds nothing beyond the cuts; undefined: there is none, and the fold begins with the log.
 */
export async function usableSnapshot(
  snapshots: Pick<Snapshots, "list"> | undefined,
  wanted: SnapshotWanted,
): Promise<SnapshotInfo | undefined> {
  const all = (await snapshots?.list(wanted.projection)) ?? [];
  return all.find((one) => isUsable(one, wanted));
}

function isUsable(one: SnapshotInfo, wanted: SnapshotWanted): boolean {
  const { version, cuts, partitions, before, atMs = Number.POSITIVE_INFINITY } = wanted;
  if (one.version !== version || one.audit === undefined || one.refuted !== undefined) return false;
  if (before !== undefined && one.id >= before) return false;
  return one.positions.every((at) => {
    if (partitions !== undefined && !partitions.has(at.partition)) return true;
    if ((at.lastRecordedAtMs ?? 0) > atMs) return false;
    return at.position.nextOffset <= (cutOf(cuts, at) ?? 0n);
  });
}
