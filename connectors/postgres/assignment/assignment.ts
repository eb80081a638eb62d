import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { Pool } from "pg";

import { TransientError } from "../../../engine/errors.ts";
import { OwnershipChanges } from "../../../engine/ownership-changes.ts";
import type { Assignment, Membership } from "../../../engine/ports/assignment.ts";
import { LeaseHeart } from "./lease-heart.ts";
import { Joins } from "./joins.ts";
import {
  leaseRound,
  leaveGroup,
  releaseLeases,
  type LeaseRound,
  type RoundResult,
} from "./lease-round.ts";
import { Presence } from "./presence.ts";

export interface PostgresAssignmentOptions {
  readonly pool: Pool;
  /**
   * How long the partitions of an owner that is silent stay with it, by the database's clock. Where
   * its connections have ended too (it was killed), they are free after two renewals that are missing.
   */
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
 * once for all its memberships while nothing changes; a connection of its own shows that it lives.
 */
export class PostgresAssignment implements Assignment {
  readonly #options: Required<PostgresAssignmentOptions>;
  readonly #heart: LeaseHeart;
  readonly #joins: Joins;
  readonly #presence: Presence;

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
    this.#joins = new Joins(this.#options);
    this.#presence = new Presence({ pool: options.pool, silentMs: 2 * heartbeatMs });
  }

  async join(consumer: string, partitions: number): Promise<Membership> {
    const round = { consumer, partitions, member: randomUUID(), leaseMs: this.#options.leaseMs };
    const shared = {
      ...this.#options,
      heart: this.#heart,
      joins: this.#joins,
      presence: this.#presence,
    };
    const membership = new LeaseMembership(shared, round);
    await membership.start();
    return membership;
  }
}

interface MembershipOptions extends Required<PostgresAssignmentOptions> {
  readonly heart: LeaseHeart;
  readonly joins: Joins;
  readonly presence: Presence;
}

/** Tries of a member's first round, which fails with the database when that is away. */
const firstRoundsMax = 4;

class LeaseMembership implements Membership {
  readonly changes = new OwnershipChanges();
  readonly #options: MembershipOptions;
  readonly #member: Omit<LeaseRound, "session">;
  readonly #stop = new AbortController();
  #renewing: Promise<void> = Promise.resolve();

  constructor(options: MembershipOptions, member: Omit<LeaseRound, "session">) {
    this.#options = options;
    this.#member = member;
  }

  async start(): Promise<void> {
    const { presence } = this.#options;
    await presence.enter();
    try {
      this.#renewing = this.#renew(await this.#firstRound());
    } catch (error) {
      await presence.leave();
      throw error;
    }
  }

  /** A process that starts is busy, and the server ends rounds that stand still for too long. */
  async #firstRound(): Promise<boolean> {
    for (let triesLeft = firstRoundsMax - 1; ; triesLeft -= 1) {
      try {
        return this.#told(await this.#options.joins.take(this.#round));
      } catch (error) {
        if (!(error instanceof TransientError) || triesLeft <= 0) throw error;
        await delay(this.#options.waitingMs);
      }
    }
  }

  async release(partitions: Iterable<number>): Promise<void> {
    await releaseLeases(this.#options.pool, this.#member, [...partitions]);
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
    try {
      await leaveGroup(this.#options.pool, this.#member);
    } finally {
      await this.#options.presence.leave();
    }
  }

  get #round(): LeaseRound {
    return { ...this.#member, session: this.#options.presence.session() };
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
    return this.#told(await leaseRound(this.#options.pool, this.#round));
  }

  #told({ owned, waiting }: RoundResult): boolean {
    this.#tell(owned);
    return waiting;
  }

  #tell(owned: readonly number[]): void {
    if (!this.#stop.signal.aborted) this.changes.tell(owned);
  }
}
