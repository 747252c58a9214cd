import type { IncomingMessage } from "node:http";
import { type BlockList, isIP, isIPv6 } from "node:net";

const sources = new WeakMap<IncomingMessage, string>();

/** An IPv4 address as a socket for both versions shows it. */
const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
/** Proxies in a row that are looked at. */
const HOPS_MAX = 8;

/**
 * Notes the address a request comes from: that of the connection, or, where a trusted proxy holds it, the last one in
 * `X-Forwarded-For` that is no trusted proxy. What a caller itself writes there is to the left of that, and means nothing.
 */
export function nameSource(request: IncomingMessage, trusted: BlockList | undefined): void {
  let source = plain(request.socket.remoteAddress ?? "");
  const header = request.headers["x-forwarded-for"];
  const hops = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",");
  for (let hop = 0; hop < HOPS_MAX && trusted !== undefined && isIn(trusted, source); hop += 1) {
    const before = plain(hops.pop()?.trim() ?? "");
    if (isIP(before) === 0) break;
    source = before;
  }
  sources.set(request, source);
}

/** The address a request comes from; empty when its connection is gone. */
export function sourceOf(request: IncomingMessage): string {
  return sources.get(request) ?? plain(request.socket.remoteAddress ?? "");
}

function isIn(list: BlockList, address: string): boolean {
  return isIP(address) !== 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

function plain(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}
