import type { AnyRow } from "../columns.ts";
import type { BucketDigest } from "../digest.ts";
import { snapshotFault, snapshotUnfit, snapshotUnknown } from "../generation-faults.ts";
import type { Clock } from "../ports/clock.ts";
import type { SnapshotRow } from "../ports/read-model-snapshots.ts";
import type { Generation, ReadModel } from "../ports/read-model-store.ts";
import type { SnapshotAudit, SnapshotInfo, Snapshots } from "../ports/snapshots.ts";
import { copyRow } from "../stored-row.ts";
import { readPositionsOf, type StandingPartition } from "./positions.ts";
import type { MemoryReadModelStore } from "./read-model-store.ts";
import { copyDigests, copyRows, pagesOf, type StoredGeneration } from "./stored-generations.ts";

export interface MemorySnapshotsOptions {
  readonly store: MemoryReadModelStore;
  readonly clock: Pick<Clock, "nowMs">;
  /** Rows of one page. */
  readonly pageRows?: number;
}

interface StoredSnapshot {
  readonly info: SnapshotInfo;
  readonly of: StoredGeneration;
  readonly standing: readonly StandingPartition[];
  readonly rows: ReadonlyMap<string, SnapshotRow>;
}

/** Snapshots in memory: the exact reference of the port. */
export class MemorySnapshots implements Snapshots {
  readonly #options: MemorySnapshotsOptions;
  readonly #snapshots = new Map<bigint, StoredSnapshot>();
  #last = 0n;

  constructor(options: MemorySnapshotsOptions) {
    this.#options = options;
  }

  async take(of: Pick<Generation, "projection" | "generation">): Promise<SnapshotInfo> {
    const { store, clock } = this.#options;
    const build = store.generations.get(of);
    this.#last += 1n;
    const standing = build.positions.all();
    const times = standing.flatMap(({ lastRecordedAtMs }) => lastRecordedAtMs ?? []);
    const info: SnapshotInfo = {
      id: this.#last,
      projection: of.projection,
      version: build.model.version,
      generation: of.generation,
      takenAtMs: clock.nowMs(),
      positions: readPositionsOf(standing),
      records: standing.reduce((sum, { records }) => sum + records, 0),
      lastRecordedAtMs: times.length > 0 ? Math.max(...times) : undefined,
      rows: build.rows.size,
      digests: copyDigests(build),
      audit: undefined,
      refuted: undefined,
    };
    const rows = new Map(copyRows(build).map((row) => [row.key, row]));
    this.#snapshots.set(info.id, { info, of: build, standing, rows });
    return copyInfo(info);
  }

  async list(projection: string): Promise<readonly SnapshotInfo[]> {
    return [...this.#snapshots.values()]
      .filter(({ info }) => info.projection === projection)
      .map(({ info }) => copyInfo(info))
      .toReversed();
  }

  async audited(id: bigint, from: SnapshotAudit["from"]): Promise<void> {
    this.#change(id, { audit: { atMs: this.#options.clock.nowMs(), from } });
  }

  async refuted(id: bigint, why: string): Promise<void> {
    this.#change(id, { refuted: why });
  }

  async remove(id: bigint): Promise<void> {
    this.#snapshots.delete(id);
  }

  async row(
    id: bigint,
    key: string,
  ): Promise<{ readonly row: AnyRow; readonly partition: number } | undefined> {
    const { of, rows } = this.#find(id);
    const found = rows.get(key);
    return found && { row: copyRow(of.model.columns, found.row), partition: found.partition };
  }

  async *rows(id: bigint): AsyncIterable<readonly SnapshotRow[]> {
    const { of, rows } = this.#find(id);
    for (const page of pagesOf([...rows.values()], this.#options.pageRows ?? 1_000)) {
      yield page.map((one) => ({ ...one, row: copyRow(of.model.columns, one.row) }));
    }
  }

  /** Puts a snapshot's rows, digests and positions into a generation of the same shape. */
  copyInto(id: bigint, build: StoredGeneration): void {
    const { info, rows, of, standing } = this.#find(id);
    for (const { key, partition, row } of rows.values()) {
      build.rows.set(key, copyRow(of.model.columns, row));
      build.partitions.set(key, partition);
    }
    for (const [bucket, digest] of info.digests) build.digests.set(bucket, { ...digest });
    build.positions.begin(
      standing.flatMap((one) => (one.position ? [{ ...one, position: one.position }] : [])),
    );
  }

  /** @throws FatalError `snapshot-unknown`, `snapshot-unfit`. */
  assertFits(id: bigint, model: ReadModel): void {
    const { info, of } = this.#find(id);
    const fault = snapshotFault(info, of.model.columns, model);
    if (fault !== undefined) throw snapshotUnfit(id, model, fault);
  }

  #change(id: bigint, change: Partial<Pick<SnapshotInfo, "audit" | "refuted">>): void {
    const stored = this.#find(id);
    this.#snapshots.set(id, { ...stored, info: { ...stored.info, ...change } });
  }

  #find(id: bigint): StoredSnapshot {
    const found = this.#snapshots.get(id);
    if (found === undefined) throw snapshotUnknown(id);
    return found;
  }
}

const copyInfo = (info: SnapshotInfo): SnapshotInfo => ({
  ...info,
  positions: info.positions.map((one) => ({ ...one })),
  digests: new Map<number, BucketDigest>([...info.digests].map(([b, of]) => [b, { ...of }])),
});
