import type { FastifyRequest } from "fastify";

/**
 * The origin whose page opens a stream, where it is none of those that may; undefined: it may.
 * Browsers name the origin of every WebSocket, and of every event source that is not of the page's
 * own origin (https://fetch.spec.whatwg.org/#origin-header); of those they say so by
 * `Sec-Fetch-Site`. What names neither is no browser.
 */
export function strangeOrigin(
  { headers, protocol }: Pick<FastifyRequest, "headers" | "protocol">,
  origins: readonly string[],
): string | undefined {
  const { origin, host = "" } = headers;
  if (origin === undefined) {
    const site = headers["sec-fetch-site"];
    return site === undefined || site === "same-origin" ? undefined : "another origin";
  }
  const own = `${protocol}://${host}`;
  return origin === own || origins.includes(origin) ? undefined : origin;
}
