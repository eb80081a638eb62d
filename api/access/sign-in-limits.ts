import type { Clock } from "../../engine/ports/clock.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import { type Taken, TokenBuckets } from "../limits/token-buckets.ts";
import type { AccessLimits, AccountClaim } from "./contract.ts";
import { refused, tooManySignIns } from "./problems.ts";

export interface SignInLimitsOptions {
  readonly limits: AccessLimits;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const minuteSeconds = 60;

/** How often somebody may try to sign in: from one address, and to one account. */
export class SignInLimits {
  readonly #ofAccount: TokenBuckets;
  readonly #ofAddress: TokenBuckets;
  readonly #metrics: Metrics;

  constructor({ limits, clock, metrics }: SignInLimitsOptions) {
    this.#metrics = metrics;
    const clientsMax = limits.signInsRememberedMax;
    this.#ofAccount = new TokenBuckets({
      ratePerSecond: limits.signInsPerAccount / minuteSeconds,
      burst: limits.signInsPerAccountBurst,
      clientsMax,
      clock,
    });
    this.#ofAddress = new TokenBuckets({
      ratePerSecond: limits.signInsPerAddress / minuteSeconds,
      burst: limits.signInsPerAddress,
      clientsMax,
      clock,
    });
  }

  /** Counts a try, whatever comes of it. @throws ProblemError 429 `too-many-sign-ins`. */
  count({ kind, name }: AccountClaim, address: string): void {
    // An address that has spent its tries spends none of the account's.
    this.#pass(this.#ofAddress.take(address));
    this.#pass(this.#ofAccount.take(`${kind}:${name}`));
  }

  #pass({ allowed, nextInMs }: Taken): void {
    if (allowed) return;
    this.#metrics.count("sign_ins_total", 1, { outcome: "limited" });
    throw refused(tooManySignIns(nextInMs));
  }
}
