import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { isReason, SettleError, toSettleError } from "#client/errors.ts";
import { DEFAULT_RETRY } from "#client/options.ts";
import { isRepeatable, withKey } from "#client/repeatable.ts";
import { pauseMs, withRetries } from "#client/retry.ts";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { commonReasons, type ReasonTable } from "#kit/pure/reasons.ts";
import { Refusal, type RefusalOptions } from "#kit/refusal.ts";
import { toConnectError } from "#kit/rpc/errors.ts";
import { reasonTables } from "#tools/docs/errors.ts";

const policy = { maxAttempts: 4, firstPauseMs: 1, maxPauseMs: 2 };
const tables = await reasonTables();

/** The error a service would send, as the client reads it. */
function refused(reason: string, options: RefusalOptions = {}, table: ReasonTable = commonReasons) {
  return toConnectError(new Refusal(reason, options), table);
}

describe("withRetries", () => {
  const tried = async (error: unknown, isRepeatable = true, timeoutMs = 5_000) => {
    let tries = 0;
    const answer = await withRetries(
      async () => {
        tries += 1;
        if (tries < 3) throw error;
        return "answer";
      },
      { policy, timeoutMs, isRepeatable },
    ).catch((thrown: unknown) => thrown);
    return { tries, answer };
  };

  test("tries a safe call again after an outage until it is answered", async () => {
    expect(await tried(refused("STORE_UNAVAILABLE"))).toEqual({ tries: 3, answer: "answer" });
    expect(await tried(refused("REQUEST_IN_PROGRESS"))).toEqual({ tries: 3, answer: "answer" });
  });

  test("takes a connection that broke for an outage, not for a refusal", async () => {
    expect(await tried(new ConnectError("reset", Code.Internal))).toMatchObject({ tries: 3 });
  });

  test("never repeats a final refusal, so that a caller hears of it at once", async () => {
    const { tries, answer } = await tried(refused("REQUEST_ID_REUSED"));
    expect(tries).toBe(1);
    expect(answer).toMatchObject({ reason: "REQUEST_ID_REUSED", retryable: false });
  });

  test("never repeats a call that is not safe, so that nothing happens twice", async () => {
    expect((await tried(refused("STORE_UNAVAILABLE"), false)).tries).toBe(1);
  });

  test("ends with the last error when the tries or the time are used up", async () => {
    const never = withRetries(() => Promise.reject(refused("SHUTTING_DOWN")), {
      policy,
      timeoutMs: 5_000,
      isRepeatable: true,
    });
    await expect(never).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
    const asked = refused("REQUEST_IN_PROGRESS", { retryAfterMs: 60_000 });
    expect((await tried(asked)).tries).toBe(1);
  });

  test("tells each try what time is left", async () => {
    const left: number[] = [];
    await withRetries(
      async (remainingMs) => {
        left.push(remainingMs);
        if (left.length < 3) throw refused("SHUTTING_DOWN");
      },
      {
        policy: { ...policy, firstPauseMs: 20, maxPauseMs: 20 },
        timeoutMs: 1_000,
        isRepeatable: true,
      },
    );
    expect(left[0]).toBeLessThanOrEqual(1_000);
    expect(left).toEqual(left.toSorted((a, b) => b - a));
  });
});

describe("pauseMs", () => {
  test("grows to a bound, and is never shorter than the server asks", () => {
    for (let tries = 1; tries < 30; tries += 1) {
      expect(pauseMs(DEFAULT_RETRY, tries)).toBeLessThanOrEqual(DEFAULT_RETRY.maxPauseMs);
      const asking = toSettleError(refused("REQUEST_IN_PROGRESS", { retryAfterMs: 1_234 }));
      expect(pauseMs(DEFAULT_RETRY, tries, asking)).toBeGreaterThanOrEqual(1_234);
    }
  });
});

describe("keys", () => {
  const { create: createPayment, get, recover } = PaymentService.method;

  test("a mutation without a request_id gets one, and the caller's own object stays as it was", () => {
    const request = create(createPayment.input, { accountId: "1" });
    const sent = withKey(createPayment.input, request);
    expect(sent.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(request.requestId).toBe("");
    expect(withKey(createPayment.input, request).requestId).not.toBe(sent.requestId);
  });

  test("a request_id of the caller is kept, so that a process that died can go on", () => {
    expect(withKey(createPayment.input, { requestId: "mine" }).requestId).toBe("mine");
  });

  test("every RPC of the contract that declares what makes a repeat safe is repeatable", () => {
    expect([createPayment, get, recover].map(isRepeatable)).toEqual([true, true, true]);
  });
});

describe("SettleError", () => {
  test("carries reason, metadata, fields and delay of the refusal", () => {
    const error = toSettleError(
      refused("INVALID_FIELD", {
        metadata: { payment_id: "p" },
        fields: [{ field: "amount", description: "is missing" }],
        retryAfterMs: 1_500,
      }),
    );
    expect(error).toMatchObject({
      code: Code.InvalidArgument,
      reason: "INVALID_FIELD",
      metadata: { payment_id: "p" },
      fields: [{ field: "amount", description: "is missing" }],
      retryAfterMs: 1_500,
      retryable: false,
    });
  });

  test("is told apart by reason, for every reason there is", () => {
    for (const table of tables.values()) {
      for (const [reason, { retryable }] of Object.entries(table)) {
        const error = toSettleError(refused(reason, {}, table));
        expect(error).toMatchObject({ reason, retryable });
      }
    }
    const missing = toSettleError(refused("INVALID_FIELD"));
    expect(isReason(missing, "INVALID_FIELD")).toBe(true);
    expect(isReason(missing, "PAYMENT_NOT_FOUND", "REFUND_NOT_FOUND")).toBe(false);
    expect(isReason(new Error("other"), "INVALID_FIELD")).toBe(false);
  });

  test("a reason of a newer server is final, unless the server says when to come back", () => {
    const table = { NEW_ONE: { status: "UNAVAILABLE", retryable: true, message: "new" } } as const;
    expect(new SettleError(refused("NEW_ONE", {}, table)).retryable).toBe(false);
    expect(new SettleError(refused("NEW_ONE", { retryAfterMs: 5 }, table)).retryable).toBe(true);
  });
});
