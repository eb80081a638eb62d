import type { Alongside } from "../ports/alongside.ts";
import type { Appended } from "../ports/appended.ts";
import type { NewEffect, StoredEffect } from "../ports/effect-ledger.ts";

/** The effects of a request whose first try has begun with it, as the ledger has them. */
export function begunIn({ effects = [] }: Alongside, verdict: Appended): readonly StoredEffect[] {
  const begun = new Set(verdict.begun);
  if (begun.size === 0) return [];
  // Of two under one key the first counts.
  return effects.flatMap((effect) =>
    begun.delete(effect.key) ? [asStored(effect, verdict.recordedAtMs)] : [],
  );
}

function asStored({ leaseMs = 0, ...effect }: NewEffect, nowMs: number): StoredEffect {
  const now = new Date(nowMs);
  return {
    ...effect,
    state: "started",
    attempts: 1,
    requestedAt: now,
    startedAt: now,
    nextAt: new Date(nowMs + leaseMs),
    endedAt: undefined,
    answer: undefined,
    error: undefined,
  };
}
