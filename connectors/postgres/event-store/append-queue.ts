import type { Pool } from "pg";

import { InvariantViolation, TransientError } from "../../../engine/errors.ts";
import type {
  AppendOptions,
  AppendRequest,
  AppendVerdict,
} from "../../../engine/ports/event-store.ts";
import { commit } from "../transaction.ts";
import type { CallResult } from "./append-answer.ts";
import { locksOf, type AppendCall } from "./append-call.ts";
import { bringsMore } from "./alongside.ts";
import { appendTransaction } from "./append-transaction.ts";
import { verdictOf } from "./append-within.ts";
import { CallPlan, type PlannedRequest } from "./call-plan.ts";
import { runCall, sendAppends } from "./send-appends.ts";
import { asFailure, deadlockDetected, isDataFault, sqlState, uniqueViolation } from "./failures.ts";

export interface AppendQueueOptions {
  readonly pool: Pool;
  readonly gatherRequestsMax: number;
  readonly gatherBytesMax: number;
  readonly clashesMax: number;
  readonly marksMax: number;
  readonly callsInFlightMax: number;
  readonly waitingMax: number;
  readonly newerMax: number;
}

interface Waiting extends PlannedRequest {
  readonly settle: (result: CallResult) => void;
  readonly fail: (error: unknown) => void;
}

const retriesMax = 3;

/**
 * Nothing was written, and the next try finds something else: another call has just appended one of
 * the ids, which is there to be found now; or it was this call that the server ended for a deadlock.
 */
const triedAgain: ReadonlySet<string> = new Set([uniqueViolation, deadlockDetected]);

/**
 * Gathers the appends that wait into calls: while some are in flight, the next fills. What clashes
 * on ids waits for a later call.
 */
export class AppendQueue {
  readonly #options: AppendQueueOptions;
  #waiting: Waiting[] = [];
  #inFlight = 0;
  #scheduled = false;
  /** Who repeats appends has found some: a look costs less than calls that fail for them. */
  #duplicates: AppendCall["duplicates"] = "index";

  constructor(options: AppendQueueOptions) {
    this.#options = options;
  }

  append(request: AppendRequest, options: AppendOptions): Promise<AppendVerdict> {
    if (this.#waiting.length >= this.#options.waitingMax) {
      return Promise.reject(
        new TransientError(
          "append-queue-full",
          `${this.#waiting.length} appends wait already: the event store is slower than its callers.`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const settle = (result: CallResult): void => {
        try {
          resolve(verdictOf(result));
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.push({ request, options, settle, fail: reject });
      this.#schedule();
    });
  }

  /** Not at once: the callers that the last answer woke append in this turn too. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight >= this.#options.callsInFlightMax) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  #start(): void {
    if (this.#waiting.length === 0 || this.#inFlight >= this.#options.callsInFlightMax) return;
    const gathered = this.#gather();
    this.#inFlight += 1;
    void this.#run(gathered, 0).finally(() => {
      this.#inFlight -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    });
    if (this.#waiting.length > 0) this.#schedule();
  }

  #newPlan(): CallPlan {
    return new CallPlan({
      requestsMax: this.#options.gatherRequestsMax,
      bytesMax: this.#options.gatherBytesMax,
      clashesMax: this.#options.clashesMax,
      marksMax: this.#options.marksMax,
    });
  }

  #gather(): Gathered {
    const plan = this.#newPlan();
    let count = 0;
    for (const waiting of this.#waiting) {
      if (!plan.add(waiting)) break;
      count += 1;
    }
    const members = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return { plan, members };
  }

  /** Never rejects: every member gets its verdict or its error. */
  async #run({ plan, members }: Gathered, attempt: number): Promise<void> {
    try {
      const results = await this.#call(plan);
      this.#duplicates = results.some(isDuplicate) ? "looked for" : "index";
      for (const [index, member] of members.entries()) {
        member.settle(results[index] as CallResult);
      }
    } catch (error) {
      if (triedAgain.has(sqlState(error)) && attempt < retriesMax) {
        this.#duplicates = "looked for";
        return this.#run({ plan, members }, attempt + 1);
      }
      const itsOwn = isDataFault(error) || error instanceof InvariantViolation;
      if (itsOwn && members.length > 1) return this.#runAlone(members);
      const failure = asFailure(error, "append");
      for (const member of members) member.fail(failure);
    }
  }

  /** One of them has a fault of its own: the others mustn't fail with it. */
  async #runAlone(members: readonly Waiting[]): Promise<void> {
    for (const member of members) {
      const plan = this.#newPlan();
      plan.add(member);
      await this.#run({ plan, members: [member] }, 0);
    }
  }

  async #call(plan: CallPlan): Promise<CallResult[]> {
    const { pool } = this.#options;
    const call = this.#callOf(plan);
    if (plan.requests.some(({ request }) => bringsMore(request))) {
      return appendTransaction(pool, async (client) => commit(sendAppends(client, [call])));
    }
    const client = await pool.connect();
    let broken = true;
    try {
      const results = await runCall(client, call);
      broken = false;
      return results;
    } catch (error) {
      broken = sqlState(error) === "";
      throw error;
    } finally {
      client.release(broken);
    }
  }

  #callOf({ requests, clashes }: CallPlan): AppendCall {
    const locks = locksOf(requests.map(({ request }) => request));
    const { newerMax } = this.#options;
    return { requests, clashes, locks, newerMax, duplicates: this.#duplicates };
  }
}

const isDuplicate = (result: CallResult): boolean =>
  !(result instanceof Error) && result.outcome === "appended" && result.duplicate;

interface Gathered {
  readonly plan: CallPlan;
  readonly members: readonly Waiting[];
}
