import type { Clock } from "../../engine/ports/clock.ts";
import type { AccessLimits, Identity, Tokens } from "./contract.ts";

export interface VerifiedTokensOptions {
  readonly clock: Clock;
  readonly limits: Pick<AccessLimits, "verifiedTokensMax" | "skewMs">;
  readonly tokens: Pick<Tokens, "verify" | "keysEpoch">;
}

/**
 * Whom tokens name that were verified before, by their text: a signature is checked once, until a
 * key is withdrawn, which may have signed any of them. The token that was not seen for longest is
 * forgotten first.
 */
export class VerifiedTokens {
  readonly #options: VerifiedTokensOptions;
  readonly #known = new Map<string, Identity>();
  #epoch: number | undefined;

  constructor(options: VerifiedTokensOptions) {
    this.#options = options;
  }

  /** undefined: it was never verified, was forgotten, or its time is over. */
  find(token: string): Identity | undefined {
    if (!this.#areKeysTheSame()) return undefined;
    const identity = this.#known.get(token);
    if (identity === undefined) return undefined;
    this.#known.delete(token);
    if (isOver(identity, this.#options)) return undefined;
    this.#known.set(token, identity);
    return identity;
  }

  /** @throws TokenRefused */
  async verify(token: string): Promise<Identity> {
    const { tokens } = this.#options;
    const epoch = tokens.keysEpoch();
    const identity = await tokens.verify(token);
    // Its key may have been withdrawn while the signature was checked.
    if (epoch !== undefined && epoch === tokens.keysEpoch()) this.#keep(token, identity);
    return identity;
  }

  #areKeysTheSame(): boolean {
    const epoch = this.#options.tokens.keysEpoch();
    if (epoch === undefined) return false;
    if (epoch !== this.#epoch) this.#known.clear();
    this.#epoch = epoch;
    return true;
  }

  #keep(token: string, identity: Identity): void {
    this.#known.set(token, identity);
    if (this.#known.size <= this.#options.limits.verifiedTokensMax) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  get size(): number {
    return this.#known.size;
  }
}

/** By a clock that may differ from the one that gave the session its time. */
export const isOver = (
  { expiresAtMs }: Pick<Identity, "expiresAtMs">,
  { clock, limits }: { readonly clock: Clock; readonly limits: Pick<AccessLimits, "skewMs"> },
): boolean => clock.nowMs() >= expiresAtMs + limits.skewMs;
