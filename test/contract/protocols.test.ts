import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { Refusal } from "#kit/refusal.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { type WireClient, wireClients } from "#test/support/rpc-clients.ts";
import { startStubServer } from "#test/support/stub-server.ts";

const { getCheck, evaluate } = FraudService.method;
let server: RpcServer;
let clients: readonly WireClient[];

beforeAll(async () => {
  server = await startStubServer(
    {
      fraud: {
        getCheck: ({ checkId }) => {
          if (checkId === "absent") {
            throw new Refusal("CHECK_NOT_FOUND", { message: `check ${checkId} does not exist` });
          }
          return {
            check: { checkId, amount: { currencyCode: "USD", minorUnits: 2n ** 63n - 1n } },
          };
        },
        evaluate: ({ checkId }) => ({ check: { checkId } }),
      },
    },
    { reasons: { CHECK_NOT_FOUND: { status: "NOT_FOUND", retryable: false, message: "" } } },
  );
  clients = wireClients(server.address);
});

afterAll(async () => {
  for (const client of clients) client.close();
  await server.close(0);
});

// The names come from a server that does not exist: clients connect when they call.
const names = wireClients("127.0.0.1:1").map((client) => {
  client.close();
  return client.name;
});

describe.each(names)("%s", (name) => {
  const client = (): WireClient => {
    const found = clients.find((client) => client.name === name);
    if (found === undefined) throw new Error(`no client ${name}`);
    return found;
  };

  test("gets an answer with the whole of an int64", async () => {
    const answer = await client().call(getCheck, { checkId: "check-1" });
    expect(answer).toMatchObject({
      ok: true,
      message: { check: { checkId: "check-1", amount: { minorUnits: 9223372036854775807n } } },
    });
  });

  test("gets a refusal as its status, message and reason", async () => {
    expect(await client().call(getCheck, { checkId: "absent" })).toEqual({
      ok: false,
      code: Code.NotFound,
      message: "check absent does not exist",
      reason: "CHECK_NOT_FOUND",
      fields: [],
    });
  });

  test("is told which fields of its request are wrong", async () => {
    const answer = await client().call(evaluate, {
      checkId: "check-1",
      paymentId: "payment-1",
      accountId: "1",
      amount: { currencyCode: "USD", minorUnits: 0n },
    });
    expect(answer).toMatchObject({
      ok: false,
      code: Code.InvalidArgument,
      reason: "INVALID_AMOUNT",
      fields: ["amount.minor_units"],
    });
  });

  test("learns that an RPC has no handler", async () => {
    const answer = await client().call(FraudService.method.release, { checkId: "check-1" });
    expect(answer).toMatchObject({ ok: false, code: Code.Unimplemented });
  });
});
