import * as fc from "fast-check";
import { expect, test } from "vitest";

import { planLeases, type Lease } from "../../engine/lease-plan.ts";

const member = fc.integer({ min: 0, max: 6 }).map((number) => `member-${number}`);
const event = fc.oneof(
  fc.record({ kind: fc.constant("join" as const), member }),
  fc.record({ kind: fc.constant("leave" as const), member }),
  fc.record({ kind: fc.constant("step" as const), member }),
  fc.record({ kind: fc.constant("drain" as const), member }),
);

/** A group as the stores keep it: what one member's step sees is what the step before left. */
class Group {
  readonly members = new Set<string>();
  leases: readonly Lease[] = [];
  readonly #partitions: number;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  step(me: string): number {
    const members = [...this.members];
    const { leases } = this;
    const plan = planLeases({ me, members, partitions: this.#partitions, leases });
    const leave = new Set(plan.leave);
    this.leases = [
      ...leases.map((lease) => (leave.has(lease.partition) ? { ...lease, leaving: true } : lease)),
      ...plan.take.map((partition) => ({ partition, owner: me, leaving: false })),
    ];
    return plan.take.length + plan.leave.length;
  }

  drain(me: string): void {
    this.leases = this.leases.filter(({ owner, leaving }) => owner !== me || !leaving);
  }

  leave(me: string): void {
    this.members.delete(me);
    this.leases = this.leases.filter(({ owner }) => owner !== me);
  }

  held(me: string): number {
    return this.leases.filter(({ owner, leaving }) => owner === me && !leaving).length;
  }
}

test("a group comes to rest with fair shares after any history, with one owner a partition", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(event), (partitions, history) => {
      const group = new Group(partitions);
      for (const { kind, member } of history) {
        if (kind === "join") group.members.add(member);
        if (kind === "leave") group.leave(member);
        if (kind === "drain") group.drain(member);
        if (kind === "step" && group.members.has(member)) group.step(member);
        const owned = group.leases.map(({ partition }) => partition);
        expect(new Set(owned).size).toBe(owned.length);
      }
      group.members.add("member-0");
      for (let round = 0; round < 4; round += 1) {
        for (const me of group.members) {
          group.step(me);
          group.drain(me);
        }
      }
      const sizes = [...group.members].map((me) => group.held(me));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(partitions);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      // At rest nothing moves any more.
      expect([...group.members].map((me) => group.step(me))).toEqual(sizes.map(() => 0));
    }),
    { numRuns: 500 },
  );
});
