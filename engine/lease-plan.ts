/** A partition somebody works on; `leaving`: its owner drains it to let it go. */
export interface Lease {
  readonly partition: number;
  readonly owner: string;
  readonly leaving: boolean;
}

export interface LeasePlan {
  /** Free partitions to take now. */
  readonly take: readonly number[];
  /** Own partitions to drain and let go. */
  readonly leave: readonly number[];
}

/**
 * One member's next step towards fair shares: sizes differ by at most one, whoever holds more keeps
 * the larger share, and nothing moves that doesn't have to. Members that take such steps one after
 * the other, each seeing what the one before did, come to rest.
 */
export function planLeases(group: {
  readonly me: string;
  /** Everybody alive, this member included. */
  readonly members: readonly string[];
  readonly partitions: number;
  /** Leases that have not run out. */
  readonly leases: readonly Lease[];
}): LeasePlan {
  const { me, members, partitions, leases } = group;
  const heldBy = (member: string): number[] =>
    leases
      .filter(({ owner, leaving }) => owner === member && !leaving)
      .map(({ partition }) => partition)
      .sort((a, b) => a - b);
  const ranked = members
    .map((member) => ({ member, held: heldBy(member).length }))
    .sort((a, b) => b.held - a.held || (a.member < b.member ? -1 : 1));
  const rank = ranked.findIndex(({ member }) => member === me);
  const share = Math.floor(partitions / members.length);
  const quota = share + (rank < partitions % members.length ? 1 : 0);
  const held = heldBy(me);
  const leased = new Set(leases.map(({ partition }) => partition));
  const free = Array.from({ length: partitions }, (_, partition) => partition).filter(
    (partition) => !leased.has(partition),
  );
  return { take: free.slice(0, Math.max(0, quota - held.length)), leave: held.slice(quota) };
}
