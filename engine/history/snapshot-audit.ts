import type { SnapshotInfo, Snapshots } from "../ports/snapshots.ts";
import type { AnyProjection } from "../projection.ts";
import { comparedColumns } from "../rebuild/compared-columns.ts";
import { rowDifferences } from "../rebuild/row-differences.ts";
import { storedColumns } from "../task/pipeline.ts";
import { DigestCount } from "./digest-count.ts";
import { cutsOfPositions, readModelAt } from "./read-model-at.ts";
import type { HistorySource } from "./source.ts";

export type SnapshotVerdict =
  | { readonly outcome: "equal"; readonly from: bigint | "beginning" }
  /** `why`: a sentence with the first keys that differ. */
  | { readonly outcome: "differs"; readonly why: string };

export interface SnapshotAuditAsk {
  readonly projection: AnyProjection;
  readonly taken: SnapshotInfo;
  readonly rowsMax: number;
  readonly signal?: AbortSignal;
}

const keysTold = 5;

/**
 * Folds the log to exactly where a snapshot stands, from an audited older one or from the beginning,
 * and compares rows and digests.
 *
 * @throws FatalError `history-gone`, `history-too-large`, `replay-halted`; TransientError.
 */
export async function auditSnapshot(
  source: HistorySource & { readonly snapshots: Pick<Snapshots, "list" | "row" | "rows"> },
  { projection, taken, rowsMax, signal }: SnapshotAuditAsk,
): Promise<SnapshotVerdict> {
  const { id: olderThan, generation, positions } = taken;
  const cuts = cutsOfPositions(positions);
  const ask = { projection, cuts, generation, rowsMax, from: { olderThan } };
  const folded = await readModelAt(source, signal ? { ...ask, signal } : ask);
  const columns = storedColumns(projection);
  const counted = new DigestCount(columns);
  const rows = counted.through(source.snapshots.rows(taken.id));
  const history = folded.store.scan(folded.generation);
  const keys: string[] = [];
  let differing = 0;
  for await (const { key } of rowDifferences(rows, history, comparedColumns(columns, columns))) {
    differing += 1;
    if (keys.length < keysTold) keys.push(key);
  }
  if (differing > 0) {
    const more = differing > keys.length ? ", ..." : "";
    const why = `${differing} rows differ (${keys.join(", ")}${more}).`;
    return { outcome: "differs", why };
  }
  const buckets = counted.differing(taken.digests);
  if (buckets.length === 0) return { outcome: "equal", from: folded.from };
  return { outcome: "differs", why: `The digests of ${buckets.length} buckets aren't its rows'.` };
}
