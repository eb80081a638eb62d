import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { Pool } from "pg";

import { OwnershipChanges } from "../../../engine/ownership-changes.ts";
import type { Assignment, Membership } from "../../../engine/ports/assignment.ts";
import { LeaseHeart } from "./lease-heart.ts";
import { leaseRound, leaveGroup, releaseLeases, type LeaseRound } from "./lease-round.ts";

export interface PostgresAssignmentOptions {
  readonly pool: Pool;
  /** How long a dead owner's partitions stay with it, by the database's clock. */
  readonly leaseMs?: number;
  /** Time between two renewals. */
  readonly heartbeatMs?: number;
  /** Time between two looks while others still hold what this member should have. */
  readonly waitingMs?: number;
  /** A renewal that failed. It is tried again; the partitions stay until another takes them. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Leases in Postgres. A process that is alone has every partition when `join` returns; one that
 * joins others gets its share as they let go. It uses the pool for a moment in each round only, and
 * once for all its memberships while nothing changes.
 */
export class PostgresAssignment implements Assignment {
  readonly #options: Required<PostgresAssignmentOptions>;
  readonly #heart: LeaseHeart;

  /** @throws TypeError when the renewals come too seldom for the lease. */
  constructor(options: PostgresAssignmentOptions) {
    const defaults = { leaseMs: 5_000, heartbeatMs: 500, waitingMs: 50, onError: () => undefined };
    this.#options = { ...defaults, ...options };
    const { leaseMs, heartbeatMs, waitingMs } = this.#options;
    if (waitingMs <= 0 || heartbeatMs < waitingMs || leaseMs < 3 * heartbeatMs) {
      throw new TypeError(
        `Leases of ${leaseMs} ms need waitingMs (${waitingMs}) above 0, at most heartbeatMs ` +
          `(${heartbeatMs}), and that at most a third of the lease.`,
      );
    }
    this.#heart = new LeaseHeart(this.#options);
  }

  async join(consumer: string, partitions: number): Promise<Membership> {
    const round = { consumer, partitions, member: randomUUID(), leaseMs: this.#options.leaseMs };
    const membership = new LeaseMembership({ ...this.#options, heart: this.#heart }, round);
    await membership.start();
    return membership;
  }
}

interface MembershipOptions extends Required<PostgresAssignmentOptions> {
  readonly heart: LeaseHeart;
}

class LeaseMembership implements Membership {
  readonly changes = new OwnershipChanges();
  readonly #options: MembershipOptions;
  readonly #round: LeaseRound;
  readonly #stop = new AbortController();
  #renewing: Promise<void> = Promise.resolve();

  constructor(options: MembershipOptions, round: LeaseRound) {
    this.#options = options;
    this.#round = round;
  }

  async start(): Promise<void> {
    const first = await this.#takeRound();
    this.#renewing = this.#renew(first);
  }

  async release(partitions: Iterable<number>): Promise<void> {
    await releaseLeases(this.#options.pool, this.#round, [...partitions]);
  }

  /** The next renewal tells: at most one heartbeat later, so that two that fence each other rest. */
  fencedOut(partitions: Iterable<number>): void {
    this.changes.forget(partitions);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.changes.end();
    await this.#renewing;
    await leaveGroup(this.#options.pool, this.#round);
  }

  async #renew(first: boolean): Promise<void> {
    const { heart, waitingMs, onError } = this.#options;
    const { signal } = this.#stop;
    let waiting = first;
    while (!signal.aborted) {
      if (waiting) await delay(waitingMs, undefined, { signal }).catch(() => undefined);
      else await heart.wait(signal);
      if (signal.aborted) return;
      const step = waiting ? this.#takeRound() : this.#beat();
      waiting = await step.catch((error: unknown) => {
        onError(error);
        return false;
      });
    }
  }

  /** True while others hold what this member should have. */
  async #beat(): Promise<boolean> {
    const owned = await this.#options.heart.renew(this.#round);
    if (!owned) return this.#takeRound();
    this.#tell(owned);
    return false;
  }

  /** The same of a round of its own. */
  async #takeRound(): Promise<boolean> {
    const { owned, waiting } = await leaseRound(this.#options.pool, this.#round);
    this.#tell(owned);
    return waiting;
  }

  #tell(owned: readonly number[]): void {
    if (!this.#stop.signal.aborted) this.changes.tell(owned);
  }
}
