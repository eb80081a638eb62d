import { hash } from "node:crypto";

import type { Random } from "../ports/clock.ts";

/** What makes an event the same event again. */
export interface EventContent {
  /** Full name. */
  readonly type: string;
  readonly key: string;
  readonly value: Uint8Array;
}

/** Ids for one call: of its events, and those that its decision asks for. */
export interface IdSource {
  eventId(content: EventContent): string;
  newId(): string;
}

/**
 * Reproducible where there is a seed: the n-th id that a decision asks for is the same whenever the
 * call is decided; an event's follows from the seed and from what it says. So a repeated append is
 * known by its ids, and a call that is decided again later, in another state of the store, doesn't
 * take the ids of what it decided before for something else. Without a seed, ids are fresh.
 */
export function idSource(seed: string | undefined, random: Random): IdSource {
  if (seed === undefined) return { eventId: () => random.id(), newId: () => random.id() };
  const said = new Map<string, number>();
  let ids = 0;
  return {
    eventId: ({ type, key, value }) => {
      const what = `${type}/${key}/${hash("sha1", value, "base64url")}`;
      const times = (said.get(what) ?? 0) + 1;
      said.set(what, times);
      return nameBasedId(`${seed}/event/${what}/${times}`);
    },
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
