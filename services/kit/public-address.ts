import { BlockList, isIP, isIPv4 } from "node:net";

/** Everything of IPv4 that is not the public internet (RFC 6890 and the registries that followed it). */
const RESERVED_V4 = blockList("ipv4", [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
]);

/** The part of IPv6 that is handed out at all; loopback, link-local, unique local, multicast and NAT64 lie outside. */
const GLOBAL_V6 = blockList("ipv6", [["2000::", 3]]);

/** Parts of it that are documentation, protocol assignments, or wrap an IPv4 address (Teredo, 6to4). */
const RESERVED_V6 = blockList("ipv6", [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
]);

/**
 * Whether an IP address belongs to the public internet: not loopback, private, link-local (cloud metadata), carrier
 * or documentation space, nor an IPv6 address that wraps an IPv4 one. Text that is no address is not public.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  if (isIPv4(address)) return !RESERVED_V4.check(address, "ipv4");
  // A zone (`fe80::1%eth0`) names an interface of this machine.
  if (address.includes("%")) return false;
  return GLOBAL_V6.check(address, "ipv6") && !RESERVED_V6.check(address, "ipv6");
}

function blockList(
  family: "ipv4" | "ipv6",
  ranges: readonly (readonly [string, number])[],
): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, family);
  return list;
}
