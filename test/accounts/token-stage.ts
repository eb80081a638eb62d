import type { KeyObject } from "node:crypto";

import type { Identity, TokenFault } from "../../api/access/contract.ts";
import { TokenRefused } from "../../api/access/contract.ts";
import { MemoryKeyStore, memoryTokens } from "../../connectors/accounts/index.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { type Forged, partsOf, privateKeyOf, signedWith } from "./forge.ts";

/** Tokens on a manual clock, and the key that signs them, to forge others with. */
export async function tokenStage() {
  const clock = new ManualClock();
  const store = new MemoryKeyStore();
  const tokens = memoryTokens({ clock, store });
  const identity = identityAt(clock.nowMs());
  const good = await tokens.issue(identity);
  const [stored] = await store.keys();
  if (stored === undefined) throw new Error("No key was made.");
  const key = privateKeyOf(stored);
  const refusal = (token: string) => refusalOf(tokens.verify(token));
  return { clock, tokens, store, stored, key, identity, good, refusal };
}

/** A session of 15 minutes that begins then. */
export const identityAt = (nowMs: number): Identity => ({
  sessionId: "01a1fe99-184c-7f62-8503-843efff9bc60",
  subject: "s-1",
  role: "student",
  expiresAtMs: nowMs + 900_000,
});

export async function refusalOf(verified: Promise<unknown>): Promise<TokenFault | "accepted"> {
  try {
    await verified;
    return "accepted";
  } catch (error) {
    if (error instanceof TokenRefused) return error.reason;
    throw error;
  }
}

/** The good token with another payload or header, truly signed. */
export function resigned(
  key: KeyObject,
  good: string,
  change: (parts: Forged) => Partial<Forged>,
): string {
  const parts = partsOf(good);
  return signedWith(key, { ...parts, ...change(parts) });
}

/** With members of its JSON put in place of others; `undefined` leaves one out. */
export const withMembers = (json: string, members: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ ...(JSON.parse(json) as object), ...members });
