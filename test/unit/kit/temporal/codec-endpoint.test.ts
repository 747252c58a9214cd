import { expect, test } from "vitest";
import { codecEndpoint } from "#kit/temporal/codec-endpoint.ts";
import { createPayloadCodec } from "#kit/temporal/payload-codec.ts";
import { keyedAuthority } from "#test/support/keyed-authority.ts";
import { startStubServer } from "#test/support/stub-server.ts";

test("a key that cannot be looked up is an outage, and not a fault of what was sent", async () => {
  const authority = keyedAuthority();
  authority.outage = new Error("no database");
  const codec = createPayloadCodec(["payload-key-of-the-tests-of-at-least-32-characters"]);
  await using server = await startStubServer({}, { http: codecEndpoint(codec, authority) });
  const response = await fetch(`http://${server.address}/codec/decode`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk_a" },
    body: '{"payloads": []}',
  });
  expect([response.status, await response.text()]).toEqual([
    503,
    expect.stringContaining("STORE_UNAVAILABLE"),
  ]);
});
