import { isIP, isIPv6 } from "node:net";

/**
 * What counts as one client: an IPv4 address, or the /64 network of an IPv6 address, of which one
 * machine may use all addresses. What is no address, which only a proxy could have told, is
 * `unknown`.
 */
export function clientOf(address: string | undefined): string {
  if (address === undefined || isIP(address) === 0) return "unknown";
  if (address.startsWith("::ffff:") && address.includes(".")) return address.slice(7);
  return isIPv6(address) ? networkOf(address) : address;
}

/** The first four of eight groups; `::` stands for as many groups of zero as are missing. */
function networkOf(address: string): string {
  const [head = "", tail] = withoutZone(address).split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - groups.length - after.length }, () => "0");
  const network = [...groups, ...zeros, ...after].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

function withoutZone(address: string): string {
  const zone = address.indexOf("%");
  return zone < 0 ? address : address.slice(0, zone);
}
