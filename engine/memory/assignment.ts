import { planLeases, type Lease } from "../lease-plan.ts";
import { OwnershipChanges } from "../ownership-changes.ts";
import type { Assignment, Membership } from "../ports/assignment.ts";

interface Group {
  readonly partitions: number;
  readonly members: Map<string, OwnershipChanges>;
  leases: readonly Lease[];
}

/**
 * Spreads partitions over the members in this process. Nobody dies here, so no lease runs out: a
 * partition that is taken away waits for its release.
 */
export class MemoryAssignment implements Assignment {
  readonly #groups = new Map<string, Group>();
  #members = 0;

  async join(consumer: string, partitions: number): Promise<Membership> {
    const group = this.#groups.get(consumer) ?? { partitions, members: new Map(), leases: [] };
    this.#groups.set(consumer, group);
    this.#members += 1;
    const me = `member-${String(this.#members).padStart(6, "0")}`;
    const changes = new OwnershipChanges();
    group.members.set(me, changes);
    rebalance(group);
    return {
      changes,
      release: async (released) => {
        const gone = new Set(released);
        const isGone = ({ owner, leaving, partition }: Lease) =>
          owner === me && leaving && gone.has(partition);
        group.leases = group.leases.filter((lease) => !isGone(lease));
        rebalance(group);
      },
      fencedOut: (partitions) => {
        changes.forget(partitions);
        rebalance(group);
      },
      [Symbol.asyncDispose]: async () => {
        changes.end();
        group.members.delete(me);
        group.leases = group.leases.filter(({ owner }) => owner !== me);
        rebalance(group);
      },
    };
  }
}

/** Everybody takes a step, twice: who takes comes after all who leave. */
function rebalance(group: Group): void {
  const members = [...group.members.keys()];
  for (const me of [...members, ...members]) {
    const { partitions, leases } = group;
    const { take, leave } = planLeases({ me, members, partitions, leases });
    group.leases = [
      ...leases.map((lease) =>
        leave.includes(lease.partition) ? { ...lease, leaving: true } : lease,
      ),
      ...take.map((partition) => ({ partition, owner: me, leaving: false })),
    ];
  }
  for (const [me, changes] of group.members) {
    const owned = group.leases.filter(({ owner, leaving }) => owner === me && !leaving);
    changes.tell(owned.map(({ partition }) => partition));
  }
}
