import type { Columns } from "../../../engine/columns.ts";
import type { SnapshotInfo } from "../../../engine/ports/snapshots.ts";
import { positionJson, readPositions, type PositionRow } from "../positions/stored-position.ts";
import { bucketsOf, storedDigests, type BucketRow } from "../stored-digests.ts";

export interface SnapshotRecord {
  readonly id: bigint;
  readonly projection: string;
  readonly generation: number;
  readonly version: number;
  readonly columns: Columns;
  readonly taken_at: Date;
  readonly rows: bigint;
  readonly audited_at: Date | null;
  readonly audited_from: bigint | null;
  readonly refuted: string | null;
  readonly positions: readonly PositionRow[] | null;
  readonly records: bigint;
  readonly digests: readonly BucketRow[] | null;
}

/** One statement, so that what is removed meanwhile is whole, or not there. */
export const snapshotSelect = `select s.*, p.positions, coalesce(p.records, 0)::int8 as records,
    d.digests
  from refold.snapshots s
    left join lateral (
      select json_agg(${positionJson("p", "0")} order by p.topic, p.partition) as positions,
        sum(p.records) as records
      from refold.snapshot_positions p where p.snapshot = s.id
    ) p on true
    left join lateral (
      select json_agg(json_build_object('bucket', b.bucket, 'high', b.high::text,
        'low', b.low::text, 'rows', b.rows::text) order by b.bucket) as digests
      from refold.snapshot_digests d ${bucketsOf("d")}
      where d.snapshot = s.id and (b.rows <> 0 or b.high <> 0 or b.low <> 0)
    ) d on true`;

export function snapshotInfo(row: SnapshotRecord): SnapshotInfo {
  const positions = readPositions(row.positions ?? []);
  const times = positions.flatMap(({ lastRecordedAtMs }) => lastRecordedAtMs ?? []);
  return {
    id: row.id,
    projection: row.projection,
    version: row.version,
    generation: row.generation,
    takenAtMs: row.taken_at.getTime(),
    positions,
    records: Number(row.records),
    lastRecordedAtMs: times.length > 0 ? Math.max(...times) : undefined,
    rows: Number(row.rows),
    digests: storedDigests(row.digests ?? []),
    audit: row.audited_at
      ? { atMs: row.audited_at.getTime(), from: row.audited_from ?? "beginning" }
      : undefined,
    refuted: row.refuted ?? undefined,
  };
}
