import type { Clock } from "../../engine/ports/clock.ts";
import { TokenBuckets } from "../limits/token-buckets.ts";
import type { AccessLimits, AccountClaim, Accounts, ProvedAccount } from "./contract.ts";
import { refused, signInBusy, tooManySignIns } from "./problems.ts";

export interface PasswordChecksOptions {
  readonly accounts: Accounts;
  readonly limits: AccessLimits;
  readonly clock: Clock;
}

const minuteSeconds = 60;

/**
 * Checks passwords: each account and each address only so often, and only so many at once, because
 * a check is made to be slow.
 */
export class PasswordChecks {
  readonly #options: PasswordChecksOptions;
  readonly #ofAccount: TokenBuckets;
  readonly #ofAddress: TokenBuckets;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: PasswordChecksOptions) {
    const { limits, clock } = options;
    const clientsMax = limits.signInsRememberedMax;
    this.#options = options;
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

  /**
   * Whom an account proves to be; undefined: nobody.
   *
   * @throws ProblemError 429 `too-many-sign-ins`, 503 `sign-in-busy`.
   */
  async check(account: AccountClaim, address: string): Promise<ProvedAccount | undefined> {
    this.#count(this.#ofAddress, address);
    this.#count(this.#ofAccount, `${account.kind}:${account.name}`);
    await this.#turn();
    try {
      return await this.#options.accounts.check(account);
    } finally {
      this.#leave();
    }
  }

  #count(buckets: TokenBuckets, name: string): void {
    const taken = buckets.take(name);
    if (!taken.allowed) throw refused(tooManySignIns(taken.nextInMs));
  }

  /** Takes a place among those that are checked; whoever leaves hands on his. */
  async #turn(): Promise<void> {
    const { passwordChecksMax, passwordChecksWaitingMax } = this.#options.limits;
    if (this.#running < passwordChecksMax) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= passwordChecksWaitingMax) throw refused(signInBusy);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
