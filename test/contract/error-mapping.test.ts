import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { MongoNetworkError, MongoServerError, MongoServerSelectionError } from "mongodb";
import { describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "#gen/google/rpc/error_details_pb.ts";
import { Refusal } from "#kit/refusal.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { keepingLog, startStubServer } from "#test/support/stub-server.ts";
import { waitUntil } from "#test/support/wait-until.ts";

/** What a caller sees, and what the log says, when a handler throws. */
async function thrownBy(error: unknown, headers: Record<string, string> = {}) {
  const kept = keepingLog();
  await using server = await startStubServer(
    {
      fraud: {
        getCheck: () => {
          throw error;
        },
      },
    },
    { log: kept.log },
  );
  const transport = createConnectTransport({
    baseUrl: `http://${server.address}`,
    httpVersion: "1.1",
    nodeOptions: { agent: false },
  });
  const client = createClient(FraudService, transport);
  const seen = await client
    .getCheck({ checkId: "a" }, { headers })
    .catch((error: unknown) => error);
  return { seen: ConnectError.from(seen), lines: kept.lines };
}

test("a refusal keeps its message, metadata, fields and delay", async () => {
  const refusal = new Refusal("REQUEST_IN_PROGRESS", {
    message: "payment p is still running",
    metadata: { payment: "p" },
    fields: [{ field: "request_id", description: "in use" }],
    retryAfterMs: 1_500,
  });
  const { seen, lines } = await thrownBy(refusal);
  expect(seen.code).toBe(Code.Aborted);
  expect(seen.rawMessage).toBe("payment p is still running");
  expect(seen.findDetails(ErrorInfoSchema)[0]).toMatchObject({
    reason: "REQUEST_IN_PROGRESS",
    domain: "settle",
    metadata: { payment: "p" },
  });
  expect(seen.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe("request_id");
  const delay = seen.findDetails(RetryInfoSchema)[0]?.retryDelay;
  expect(delay).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: "debug",
      rpc: "fraud.v1.FraudService/GetCheck",
      code: "Aborted",
      reason: "REQUEST_IN_PROGRESS",
      durationMs: expect.any(Number),
    }),
  );
});

describe("a bug", () => {
  test.each([
    new Error("password hunter2 at /home/me/app.ts:3"),
    new TypeError("cannot read properties of undefined"),
    "a string",
    undefined,
    new Refusal("A_REASON_NOBODY_DECLARED", { message: "hunter2" }),
    new ConnectError("hunter2 by a peer", Code.Internal),
  ])("is INTERNAL and tells the caller nothing: %s", async (error) => {
    const { seen, lines } = await thrownBy(error);
    expect(seen.code).toBe(Code.Internal);
    expect(seen.rawMessage).toBe("internal error");
    expect(JSON.stringify(seen.details)).not.toContain("hunter2");
    expect(lines.filter((line) => line.level === "error")).toHaveLength(1);
  });
});

describe("an outage", () => {
  test.each([
    new MongoNetworkError("connection 3 to 10.0.0.7:27017 closed"),
    new MongoServerSelectionError("no primary", { error: null } as never),
    new MongoServerError({ message: "interrupted at shutdown", code: 11600 }),
    new MongoServerError({ message: "not primary", code: 10107 }),
  ])("of the database is STORE_UNAVAILABLE: %s", async (error) => {
    const { seen } = await thrownBy(error);
    expect(seen.code).toBe(Code.Unavailable);
    expect(reasonOf(seen)).toBe("STORE_UNAVAILABLE");
    expect(seen.rawMessage).not.toContain("10.0.0.7");
  });

  test("a write conflict is ABORTED", async () => {
    const { seen } = await thrownBy(new MongoServerError({ message: "conflict", code: 112 }));
    expect(seen.code).toBe(Code.Aborted);
  });

  test("a duplicate key that nobody handled is a bug", async () => {
    const { seen } = await thrownBy(new MongoServerError({ message: "E11000", code: 11000 }));
    expect(seen.code).toBe(Code.Internal);
  });

  test.each([14, 4, 8])("of Temporal is TEMPORAL_UNAVAILABLE, status %i", async (code) => {
    const cause = Object.assign(new Error("unavailable"), { code, details: "x", metadata: {} });
    const { seen } = await thrownBy(new Error("Failed to start Workflow", { cause }));
    expect(seen.code).toBe(Code.Unavailable);
    expect(reasonOf(seen)).toBe("TEMPORAL_UNAVAILABLE");
  });

  test("a status of Temporal that is no outage is a bug", async () => {
    const cause = Object.assign(new Error("bad id"), { code: 3, details: "x", metadata: {} });
    const { seen } = await thrownBy(new Error("Failed to start Workflow", { cause }));
    expect(seen.code).toBe(Code.Internal);
  });
});

describe("an error of a peer that a handler lets through", () => {
  /** An error as a client of connect throws it after reading it from the wire. */
  async function fromPeer(error: unknown) {
    const { seen } = await thrownBy(error);
    return thrownBy(seen);
  }

  test("keeps its reason, and names this request instead of the peer's", async () => {
    const refusal = new Refusal("STORE_UNAVAILABLE", { metadata: { at: "peer" } });
    const { seen } = await fromPeer(refusal);
    expect(reasonOf(seen)).toBe("STORE_UNAVAILABLE");
    expect(seen.findDetails(ErrorInfoSchema)[0]?.metadata).toEqual({ at: "peer" });
    expect(seen.findDetails(RequestInfoSchema)).toHaveLength(1);
  });

  test("is INTERNAL when the peer has a bug, or refuses without a reason", async () => {
    expect((await fromPeer(new Error("bug"))).seen.code).toBe(Code.Internal);
    const refused = new ConnectError("no", Code.NotFound);
    expect((await fromPeer(refused)).seen.code).toBe(Code.Internal);
  });

  test("is UNAVAILABLE when the peer cannot be reached", async () => {
    const client = createClient(
      FraudService,
      createConnectTransport({ baseUrl: "http://127.0.0.1:1", httpVersion: "2" }),
    );
    const error = await client.getCheck({ checkId: "a" }).catch((error: unknown) => error);
    expect((await thrownBy(error)).seen.code).toBe(Code.Unavailable);
  });
});

test.each(["1.1", "2"] as const)(
  "a caller that goes away is no bug, HTTP/%s",
  async (httpVersion) => {
    const kept = keepingLog();
    const entered = Promise.withResolvers<AbortSignal>();
    await using server = await startStubServer(
      {
        fraud: {
          getCheck: (_, { signal }) => {
            entered.resolve(signal);
            return new Promise(() => undefined);
          },
        },
      },
      { log: kept.log },
    );
    const transport = createConnectTransport({ baseUrl: `http://${server.address}`, httpVersion });
    const controller = new AbortController();
    const call = createClient(FraudService, transport)
      .getCheck({ checkId: "a" }, { signal: controller.signal })
      .catch(() => undefined);
    const signal = await entered.promise;
    controller.abort();
    await call;
    await waitUntil(async () => signal.aborted && kept.lines.length > 0);
    expect(kept.lines).toEqual([expect.objectContaining({ level: "debug", code: "Canceled" })]);
    await server.close(0);
  },
);

describe("the request id", () => {
  const idIn = (error: ConnectError) => error.findDetails(RequestInfoSchema)[0]?.requestId;

  test("of the caller is in the header, the error and the log", async () => {
    const { seen, lines } = await thrownBy(new Error("bug"), { "x-request-id": "mine-1" });
    expect(seen.metadata.get("x-request-id")).toBe("mine-1");
    expect(idIn(seen)).toBe("mine-1");
    expect(lines).toContainEqual(expect.objectContaining({ level: "error", requestId: "mine-1" }));
  });

  test.each(["", "a b", "x".repeat(129), "<script>", "a\tb"])(
    "'%s' is not repeated; the server makes one",
    async (id) => {
      const { seen } = await thrownBy(new Error("bug"), { "x-request-id": id });
      expect(idIn(seen)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
      expect(seen.metadata.get("x-request-id")).toBe(idIn(seen));
    },
  );
});
