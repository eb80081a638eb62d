import { isIP } from "node:net";

import type { TrustedProxies } from "../api/index.ts";
import { CommandFailure } from "./command-failure.ts";

/** More proxies than that in a row are a slip of the pen. */
const hopsMax = 32;

/**
 * Whose `X-Forwarded-For` is believed: a number of proxies in a row, or addresses and networks with
 * commas between. undefined: nobody's.
 *
 * @throws CommandFailure `usage` for what is neither, and for a network of all addresses.
 */
export function trustedProxiesOf(text: string | undefined): TrustedProxies | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= hopsMax) return Number(text);
  const networks = text.split(",").map((one) => one.trim());
  const wrong = networks.filter((network) => !isNetwork(network));
  if (wrong.length === 0) return networks;
  throw new CommandFailure(
    "usage",
    `--trust-proxy (REFOLD_TRUST_PROXY) takes how many proxies stand in front (1 to ${hopsMax}), ` +
      "or their addresses and networks, such as 10.0.0.7,10.1.0.0/16,fd00::/8 (not all addresses: " +
      `whoever is trusted may claim any), not ${wrong.map((one) => `"${one}"`).join(", ")}.`,
  );
}

function isNetwork(text: string): boolean {
  const [address = "", prefix, ...more] = text.split("/");
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  if (prefix === undefined) return !address.includes("%");
  const bits = Number(prefix);
  return /^\d{1,3}$/.test(prefix) && bits >= 1 && bits <= (version === 4 ? 32 : 128);
}
