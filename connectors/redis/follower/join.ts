import { type BucketDigest, PartitionDigests } from "../../../engine/digest.ts";
import type {
  ReadModelSnapshot,
  ReadModelSnapshots,
  SnapshotRow,
  StandingPartition,
} from "../../../engine/ports/read-model-snapshots.ts";
import type { OwnedPartition } from "../../../engine/ports/read-model-store.ts";
import type { RedisConnection } from "../connection.ts";
import { PartitionFill } from "../partition-fill.ts";
import type { KnownGeneration } from "../known-generation.ts";
import type { RedisReadModelStore } from "../read-model-store.ts";
import type { FollowedPartition } from "./followed-partition.ts";

export interface JoinOptions {
  readonly redis: RedisConnection;
  readonly store: Pick<RedisReadModelStore, "claim">;
  readonly snapshots: ReadModelSnapshots;
  readonly known: KnownGeneration;
  readonly waiting: readonly FollowedPartition[];
}

export interface Joined {
  /** Partitions that another process has by now. */
  readonly gone: readonly number[];
  /** How many had to be filled. */
  readonly filled: number;
}

interface Joining {
  readonly partition: FollowedPartition;
  readonly standing: readonly StandingPartition[];
  readonly owned: readonly OwnedPartition[];
  readonly fill: PartitionFill;
}

/**
 * Brings partitions to where the store stands, all at one moment: those that stand there already are
 * left as they are, the others are filled from the snapshot. Partitions whose epoch in the store is
 * another process's are left to it, so that two never take them from each other in turn.
 */
export async function joinPartitions(options: JoinOptions): Promise<Joined> {
  const { snapshots, known, waiting } = options;
  for (const partition of waiting) partition.joining();
  return snapshots.within(known.generation, async (snapshot) => {
    const standingOf = ({ partition }: FollowedPartition): StandingPartition[] =>
      snapshot.standing.filter((one) => one.partition === partition);
    const ours = waiting.filter((partition) => partition.isOurs(standingOf(partition)));
    const joining = await claimed(options, ours, standingOf);
    const stands = await Promise.all(joining.map(({ fill, standing }) => fill.standsAt(standing)));
    const lacking = joining.filter(({ partition }, at) => partition.doubted || !stands[at]);
    if (lacking.length > 0) await filled(known, snapshot, lacking);
    for (const { partition, owned, standing } of joining) partition.joined(owned, standing);
    const gone = waiting.filter((partition) => !ours.includes(partition));
    return { gone: gone.map(({ partition }) => partition), filled: lacking.length };
  });
}

async function claimed(
  { redis, store, known }: JoinOptions,
  ours: readonly FollowedPartition[],
  standingOf: (partition: FollowedPartition) => readonly StandingPartition[],
): Promise<Joining[]> {
  const places = ours.flatMap((partition) =>
    standingOf(partition).map(({ topic, partition: number }) => ({ topic, partition: number })),
  );
  const all = places.length === 0 ? [] : await store.claim(known.generation, places);
  return ours.map((partition) => {
    const owned = all.filter((one) => one.partition === partition.partition);
    const fill = new PartitionFill({ redis, known, partition: partition.partition, owned });
    return { partition, standing: standingOf(partition), owned, fill };
  });
}

async function filled(
  known: KnownGeneration,
  snapshot: ReadModelSnapshot,
  lacking: readonly Joining[],
): Promise<void> {
  const fills = new Map(lacking.map(({ partition, fill }) => [partition.partition, fill]));
  for (const fill of fills.values()) await fill.clear();
  const digests = new PartitionDigests(known.model.columns);
  for await (const page of snapshot.rows(new Set(fills.keys()))) {
    const parts = new Map<number, SnapshotRow[]>();
    for (const row of page) {
      digests.change({ ...row, before: undefined, after: row.row });
      const part = parts.get(row.partition);
      if (part === undefined) parts.set(row.partition, [row]);
      else part.push(row);
    }
    const filling = [...parts].map(async ([partition, rows]) => fills.get(partition)?.rows(rows));
    await Promise.all(filling);
  }
  const sums = new Map<number, Map<number, BucketDigest>>();
  for (const { partition, bucket, hash, rows } of digests.take()) {
    const of = sums.get(partition) ?? new Map<number, BucketDigest>();
    sums.set(partition, of.set(bucket, { hash, rows }));
  }
  for (const { partition, standing, fill } of lacking) {
    await fill.whole(standing, sums.get(partition.partition) ?? new Map());
  }
}
