import { hash } from "node:crypto";

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

/** The digit that holds the variant (RFC 9562, section 4.1), from what the digest has there. */
const variantDigits = "89ab";

/** A UUID of version 5 (RFC 9562, section 5.5) in a name space of its own. */
export function nameBasedId(name: string): string {
  const hex = hash("sha1", `refold:${name}`, "hex");
  const variant = variantDigits[Number.parseInt(hex[16] as string, 16) & 3] as string;
  const [a, b, c] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16)];
  return `${a}-${b}-5${c}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
