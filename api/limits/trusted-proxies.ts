/**
 * Proxies in front of the server whose `X-Forwarded-For` is believed: how many stand in a row, or
 * their addresses and networks (`10.0.0.7`, `10.1.0.0/16`). An address counts as the client's when
 * only trusted ones stand behind it in the header; what is left of it anybody may have written.
 */
export type TrustedProxies = number | readonly string[];

type Trust = false | string[] | ((address: string, hop: number) => boolean);

/** As Fastify takes it; the connection itself is the first hop, with number 0. */
export function trustOf(proxies: TrustedProxies | undefined): Trust {
  if (proxies === undefined) return false;
  return typeof proxies === "number" ? (_, hop) => hop < proxies : [...proxies];
}
