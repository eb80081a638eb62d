import type { ReadPosition } from "../../engine/ports/read-model-reader.ts";
import type { BoardEntry } from "../../engine/ports/status-board.ts";
import type { StoredPosition } from "./stored-position.ts";

/** A projection as far as Redis is compared with it. */
interface Followed {
  readonly name: string;
  readonly positions: readonly StoredPosition[];
}

/** Where Redis stands, as it was read. */
export interface RedisFacts {
  /** Why it can't be asked. */
  readonly fault: string | undefined;
  readonly projections: readonly RedisProjectionFacts[];
}

export type RedisProjectionFacts = { readonly name: string } & (
  | { readonly fault: string }
  | {
      readonly fault?: undefined;
      /** Of the partitions that are whole there. */
      readonly positions: readonly ReadPosition[];
      /** Those that aren't: empty, or being filled. */
      readonly cold: readonly number[];
    }
);

export interface RedisStatus {
  readonly fault: string | null;
  readonly projections: readonly RedisProjectionStatus[];
}

export interface RedisProjectionStatus {
  readonly name: string;
  /** `behind`: some partitions lack something. `unknown`: it couldn't be read. */
  readonly state: "current" | "behind" | "unknown";
  /** Rows committed that workers have yet to write; null where no worker says so. */
  readonly rowsWaiting: number | null;
  readonly reason: string | null;
  /** Those that are behind. */
  readonly partitions: readonly RedisPartitionStatus[];
}

export interface RedisPartitionStatus {
  readonly partition: number;
  /** Records that Postgres has applied and Redis hasn't; null where the partition isn't whole. */
  readonly lagRecords: number | null;
  readonly rowsWaiting: number | null;
  readonly reason: string | null;
}

/** Compares Redis with what Postgres has, and adds what workers say; pure. */
export function redisStatus(
  facts: RedisFacts,
  beside: {
    readonly consumers: readonly Followed[];
    /** Reports of processes that work now. */
    readonly board: readonly BoardEntry[];
  },
): RedisStatus {
  const projections = facts.projections.map((one) => {
    const consumer = beside.consumers.find(({ name }) => name === one.name);
    const board = beside.board.filter(
      (entry) => entry.kind === "projection" && entry.consumer === one.name,
    );
    return projectionStatus(one, { consumer, board });
  });
  return { fault: facts.fault ?? null, projections };
}

interface Beside {
  readonly consumer: Followed | undefined;
  readonly board: readonly BoardEntry[];
}

function projectionStatus(
  facts: RedisProjectionFacts,
  { consumer, board }: Beside,
): RedisProjectionStatus {
  const { name } = facts;
  const rowsWaiting = waitingIn(board);
  if (facts.fault !== undefined) {
    return { name, state: "unknown", rowsWaiting, reason: facts.fault, partitions: [] };
  }
  const numbers = new Set(consumer?.positions.map(({ partition }) => partition));
  for (const partition of facts.cold) numbers.add(partition);
  const partitions = [...numbers]
    .sort((a, b) => a - b)
    .map((partition) => partitionStatus(partition, facts, { consumer, board }))
    .filter(({ lagRecords }) => lagRecords !== 0);
  return {
    name,
    state: partitions.length === 0 ? "current" : "behind",
    rowsWaiting,
    reason: partitions.find(({ reason }) => reason !== null)?.reason ?? null,
    partitions,
  };
}

function partitionStatus(
  partition: number,
  {
    positions,
    cold,
  }: { readonly positions: readonly ReadPosition[]; readonly cold: readonly number[] },
  { consumer, board }: Beside,
): RedisPartitionStatus {
  const said = board.filter((entry) => entry.partition === partition);
  const isCold = cold.includes(partition);
  const why = said.find(({ following }) => following?.reason !== undefined)?.following?.reason;
  const ahead = consumer?.positions.filter((one) => one.partition === partition) ?? [];
  const lag = ahead.reduce((sum, one) => sum + lagOf(one, positions), 0);
  const nobody = "no worker fills it: run refold worker or refold start with REDIS_URL";
  const followed = said.some(({ following }) => following !== undefined);
  const behind = isCold || lag > 0;
  return {
    partition,
    lagRecords: isCold ? null : lag,
    rowsWaiting: waitingIn(said),
    reason: why ?? (behind && !followed ? nobody : null),
  };
}

/** Records between the two; all of them where Redis is in another log. */
function lagOf(
  { topic, partition, position }: StoredPosition,
  held: readonly ReadPosition[],
): number {
  if (position === undefined) return 0;
  const there = held.find((one) => one.topic === topic && one.partition === partition)?.position;
  const from = there?.logId === position.logId ? there.nextOffset : 0n;
  return Math.max(0, Number(position.nextOffset - from));
}

/** Each partition's rows once, however many topics it has. */
function waitingIn(board: readonly BoardEntry[]): number | null {
  const rows = new Map(
    board.flatMap(({ partition, following }) =>
      following === undefined ? [] : [[partition, following.rowsWaiting] as const],
    ),
  );
  return rows.size === 0 ? null : [...rows.values()].reduce((sum, one) => sum + one, 0);
}
