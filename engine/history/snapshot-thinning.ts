import type { SnapshotInfo } from "../ports/snapshots.ts";

/**
 * Which of a projection's snapshots may go. Of those that can be begun from, the newest `keep` stay;
 * of older ones each that stays holds at most half the records of the one that stays after it, so
 * that a late place and an early one are both near to one, and their number grows with the logarithm
 * of the history. Of refuted ones the newest `keep` stay to be looked into; those of other versions go.
 *
 * @param all Newest first, as `Snapshots.list` gives them.
 */
export function superfluous(
  all: readonly SnapshotInfo[],
  version: number,
  keep: number,
): readonly SnapshotInfo[] {
  const own = all.filter((one) => one.version === version);
  const refuted = own.filter((one) => one.refuted !== undefined).slice(keep);
  const audited = own.filter((one) => one.audit !== undefined && one.refuted === undefined);
  const thinned: SnapshotInfo[] = [];
  let last = audited[keep - 1];
  for (const one of audited.slice(keep)) {
    if (last !== undefined && one.records > last.records / 2) thinned.push(one);
    else last = one;
  }
  const others = all.filter((one) => one.version !== version);
  return [...refuted, ...thinned, ...others];
}
