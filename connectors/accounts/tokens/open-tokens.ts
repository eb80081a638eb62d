import type { Pool } from "pg";

import { defaultAccessLimits, type Tokens } from "../../../api/access/contract.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import { KeyRing } from "./key-ring.ts";
import type { KeyPolicy } from "./key-schedule.ts";
import type { KeyStore } from "./key-store.ts";
import { MemoryKeyStore } from "./memory-key-store.ts";
import { PostgresKeyStore } from "./postgres-key-store.ts";
import { SignedTokens, type TokenLimits } from "./tokens.ts";

const dayMs = 86_400_000;

interface TokensSettings {
  readonly clock: Clock;
  readonly limits?: TokenLimits;
  /** How long a key signs (default: 30 days). */
  readonly keyDays?: number;
  /** How long before it signs a key is published (default: 1 day). */
  readonly overlapDays?: number;
}

export interface TokensOptions extends TokensSettings {
  readonly pool: Pool;
  readonly report: (message: string) => void;
}

/** Tokens signed with the keys that all instances on a database share. */
export const openTokens = (options: TokensOptions): Tokens =>
  new SignedTokens({ ...options, keys: openKeys(options) });

/** The keys of those tokens, for who administers them. */
export const openKeys = ({ pool, ...options }: TokensOptions): KeyRing =>
  ringOn(new PostgresKeyStore({ pool }), options);

/** Tokens whose keys are in memory, for tests; those on one store know each other's keys. */
export function memoryTokens(
  options: TokensSettings & { readonly store?: KeyStore; readonly report?: (m: string) => void },
): Tokens {
  const { store = new MemoryKeyStore(), report = () => undefined } = options;
  return new SignedTokens({ ...options, keys: ringOn(store, { ...options, report }) });
}

function ringOn(
  store: KeyStore,
  { clock, report, ...settings }: TokensSettings & { readonly report: (message: string) => void },
): KeyRing {
  return new KeyRing({ store, clock, report, policy: policyOf(settings) });
}

/** A token lives as long as a session; the clock that ends it and ours may both be off. */
function policyOf(settings: Omit<TokensSettings, "clock">): KeyPolicy {
  const { keyDays = 30, overlapDays = 1, limits = defaultAccessLimits } = settings;
  if (!(keyDays > 0 && overlapDays >= 0 && overlapDays < keyDays)) {
    throw new RangeError(
      `keyDays (${keyDays}) must be above 0, and overlapDays (${overlapDays}) below it.`,
    );
  }
  const tokenMs = limits.sessionMs + 2 * limits.skewMs;
  return { keyMs: keyDays * dayMs, overlapMs: overlapDays * dayMs, tokenMs };
}
