import type { IncomingMessage } from "node:http";
import { BlockList } from "node:net";
import { expect, test } from "vitest";
import { nameSource, sourceOf } from "#kit/rpc/source.ts";

const trusted = new BlockList();
trusted.addSubnet("10.0.0.0", 8, "ipv4");
trusted.addSubnet("fd00::", 8, "ipv6");

test.each([
  ["the connection's own, where no proxy is trusted", "203.0.113.9", "1.2.3.4", "203.0.113.9"],
  ["the one a trusted proxy names", "10.0.0.1", "1.2.3.4", "1.2.3.4"],
  ["the one before a row of trusted proxies", "fd00::1", "1.2.3.4, 10.9.9.9", "1.2.3.4"],
  ["not the one a caller puts to the left", "::ffff:10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"],
  ["the proxy's where it names none", "10.0.0.1", "", "10.0.0.1"],
  ["the proxy's where it names no address", "10.0.0.1", "a stranger", "10.0.0.1"],
])("the source of a call is %s", (_, remoteAddress, forwarded, expected) => {
  // Only what is read of a request.
  const request = {
    socket: { remoteAddress },
    headers: { "x-forwarded-for": forwarded },
  } as unknown as IncomingMessage;
  nameSource(request, trusted);
  expect(sourceOf(request)).toBe(expected);
});
