import { createHash } from "node:crypto";

import type { Random } from "../ports/clock.ts";

/** Ids for one call: of its events, and those that its decision asks for. */
export interface IdSource {
  eventId(): string;
  newId(): string;
}

/**
 * Reproducible where there is a seed: the n-th id of a kind is the same whenever the call is
 * decided, so that a repeated append is known by its ids. Otherwise fresh.
 */
export function idSource(seed: string | undefined, random: Random): IdSource {
  if (seed === undefined) return { eventId: () => random.id(), newId: () => random.id() };
  let events = 0;
  let ids = 0;
  return {
    eventId: () => nameBasedId(`${seed}/event/${(events += 1)}`),
    newId: () => nameBasedId(`${seed}/id/${(ids += 1)}`),
  };
}

/** A UUID of version 5 (RFC 9562, section 5.5) in a name space of its own. */
export function nameBasedId(name: string): string {
  const digest = createHash("sha1").update(`refold:${name}`).digest();
  digest[6] = ((digest[6] as number) & 0x0f) | 0x50;
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
  const hex = digest.toString("hex", 0, 16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
