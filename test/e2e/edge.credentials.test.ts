import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { type Stack, startStack } from "#test/support/stack.ts";

const SERVICE_KEY = "a-service-key-of-more-than-32-characters";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ SETTLE_MODE: "production", SETTLE_SERVICE_KEY: SERVICE_KEY });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

function ask(headers: Record<string, string>) {
  const transport = createGrpcTransport({ baseUrl: `http://${stack.addresses.edge}` });
  return createClient(AccountService, transport)
    .getAccount({ accountId: "1" }, { headers })
    .then(({ account }) => account?.accountId)
    .catch((failure: unknown) => ConnectError.from(failure));
}

test("a caller without credentials is refused: the edge lends nobody its own", async () => {
  const named = await ask({ "settle-tenant": "default" });
  expect(named).toMatchObject({ code: Code.Unauthenticated });
  expect(reasonOf(named)).toBe("CREDENTIALS_MISSING");
  const rest = await fetch(`http://${stack.addresses.edge}/v1/accounts/1`);
  expect([rest.status, rest.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
});

test("forged credentials are refused, a service's pass with the tenant it names", async () => {
  expect(await ask({ authorization: "Bearer forged" })).toMatchObject({
    code: Code.Unauthenticated,
  });
  const authorization = `Bearer ${SERVICE_KEY}`;
  expect(await ask({ authorization, "settle-tenant": "default" })).toBe("1");
  expect(await ask({ authorization, "settle-tenant": "other" })).toMatchObject({
    code: Code.NotFound,
  });
});

test("probes need no credentials", async () => {
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    expect((await fetch(`http://${stack.addresses.edge}${path}`)).status, path).toBe(200);
  }
});
