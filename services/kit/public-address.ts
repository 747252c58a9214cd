import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Public by their range, and yet not the internet's: the platform's own services answer here inside some clouds. */
const PLATFORM = ["168.63.129.16"];

/**
 * Whether an IP address belongs to the public internet: not loopback, private, link-local (cloud metadata), carrier
 * or documentation space, nor an IPv6 address that wraps an IPv4 one. Text that is no address is not public.
 */
export function isPublicAddress(address: string): boolean {
  // A zone (`fe80::1%eth0`) names an interface of this machine.
  if (isIP(address) === 0 || address.includes("%")) return false;
  const parsed = ipaddr.parse(address);
  return parsed.range() === "unicast" && !PLATFORM.includes(parsed.toString());
}
