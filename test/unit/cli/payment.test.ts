import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { PaymentMethod_Mock_Behaviour as Behaviour } from "#gen/common/v1/payment_method_pb.ts";
import {
  CaptureMode,
  type CreateRequest,
  type Payment,
  PaymentSchema,
  PaymentStatus,
  RefundStatus,
  WaitUntil,
} from "#gen/payment/v1/payment_pb.ts";
import { Refusal } from "#kit/refusal.ts";
import { run, startStubs } from "./run.ts";

function payment(
  status: PaymentStatus,
  change: { message?: string; paymentId?: string } = {},
): Payment {
  const { message = "", paymentId = "p1" } = change;
  return create(PaymentSchema, {
    paymentId,
    status,
    accountId: "1",
    amount: { currencyCode: "USD", minorUnits: 1250n },
    timeline: [{ status, message }],
  });
}

describe("create", () => {
  test("sends what the command line says and shows the id and how to watch it", async () => {
    const requests: CreateRequest[] = [];
    await using stubs = await startStubs({
      payment: {
        create: (request) => {
          requests.push(request);
          return { payment: payment(PaymentStatus.PENDING) };
        },
      },
    });
    const { exitCode, out, err } = await run([
      ...["payment", "create", "--account", "1", "--amount", "12.50", "USD", "--wait", "completed"],
      ...[
        "--mock",
        "flaky",
        "--flaky-attempts",
        "3",
        "--capture",
        "manual",
        "--request-id",
        "order-1",
      ],
      ...["--metadata", "a=1", "--metadata", "b=x=y", "--address", stubs.address],
    ]);
    expect(err).toBe("");
    // It was to wait for the end, and there was none yet.
    expect(exitCode).toBe(4);
    expect(out).toContain("settle payment watch p1");
    expect(out).toContain("12.50 USD");
    expect(requests).toMatchObject([
      {
        accountId: "1",
        requestId: "order-1",
        amount: { currencyCode: "USD", minorUnits: 1250n },
        captureMode: CaptureMode.MANUAL,
        waitUntil: WaitUntil.COMPLETED,
        metadata: { a: "1", b: "x=y" },
        paymentMethod: {
          method: { case: "mock", value: { behaviour: Behaviour.FLAKY, flakyAttempts: 3 } },
        },
      },
    ]);
  });

  test("answers one JSON document with int64 as text, so that no script loses a digit", async () => {
    await using stubs = await startStubs({
      payment: { create: () => ({ payment: payment(PaymentStatus.SUCCEEDED) }) },
    });
    const argv = ["payment", "create", "--account", "1", "--minor", "1250", "--currency", "USD"];
    const { out } = await run([...argv, "-o", "json", "--address", stubs.address]);
    expect(JSON.parse(out)).toMatchObject({
      payment: {
        paymentId: "p1",
        status: "PAYMENT_STATUS_SUCCEEDED",
        amount: { minorUnits: "1250" },
      },
    });
  });

  test.each([
    ["no payer", ["--amount", "1", "USD"]],
    ["two payers", ["--account", "1", "--user", "u", "--amount", "1", "USD"]],
    ["no amount", ["--account", "1"]],
    ["a bad amount", ["--account", "1", "--amount", "1.005", "USD"]],
    ["an unknown behaviour", ["--account", "1", "--amount", "1", "USD", "--mock", "explode"]],
    ["an unknown option", ["--account", "1", "--amount", "1", "USD", "--colour", "red"]],
    [
      "two methods",
      ["--account", "1", "--amount", "1", "USD", "--mock", "ok", "--card-token", "tok_a"],
    ],
    ["a bad duration", ["--account", "1", "--amount", "1", "USD", "--wait-timeout", "soon"]],
    ["a bad pair", ["--account", "1", "--amount", "1", "USD", "--metadata", "pair"]],
  ])("%s is a wrong command line: exit code 2, and nothing is sent", async (_, options) => {
    const { exitCode, out, err } = await run([
      "payment",
      "create",
      ...options,
      "--address",
      "127.0.0.1:9",
    ]);
    expect(exitCode).toBe(2);
    expect(out).toBe("");
    expect(err).toContain("error:");
  });

  test("names the fields that the service refuses", async () => {
    await using stubs = await startStubs({ payment: { create: () => ({}) } });
    const argv = [
      "payment",
      "create",
      "--account",
      "not an id!",
      "--minor",
      "0",
      "--currency",
      "USD",
    ];
    const { exitCode, err } = await run([...argv, "--address", stubs.address]);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^ {2}account_id: /m);
    expect(err).toMatch(/^ {2}amount: |^ {2}amount\./m);
    expect(err).toContain("next:");
  });
});

describe("failures", () => {
  test("show the reason, the message and what to do next, with exit code 1", async () => {
    await using stubs = await startStubs({
      payment: {
        cancel: () => {
          throw new Refusal("NOT_CANCELLABLE");
        },
      },
    });
    const { exitCode, out, err } = await run([
      "payment",
      "cancel",
      "p1",
      "--address",
      stubs.address,
    ]);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: "" });
    expect(err).toBe(
      "error: NOT_CANCELLABLE: It is settled.\n" +
        "next:  it is settled or ended: settle payment get shows which\n",
    );
  });

  test("are JSON when the answer would have been", async () => {
    await using stubs = await startStubs({
      payment: {
        get: () => {
          throw new Refusal("PAYMENT_NOT_FOUND");
        },
      },
    });
    const { exitCode, err } = await run([
      "payment",
      "get",
      "p1",
      "-o",
      "json",
      "--address",
      stubs.address,
    ]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(err)).toMatchObject({ error: { reason: "PAYMENT_NOT_FOUND" } });
  });

  test("of an unknown outcome show the request id that makes a repeat safe", async () => {
    const argv = ["payment", "refund", "p1", "--address", "127.0.0.1:9"];
    const { exitCode, err } = await run(argv);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^repeat with: --request-id [0-9a-f-]{36}$/m);
    expect(err).toContain("error: UNAVAILABLE");
  });
});

describe("list", () => {
  test("reads page after page up to the limit and prints one JSON line each", async () => {
    const sizes: number[] = [];
    await using stubs = await startStubs({
      payment: {
        list: ({ pageSize, pageToken, status }) => {
          sizes.push(pageSize);
          const from = Number(pageToken || "0");
          const payments = Array.from({ length: pageSize }, (_, index) =>
            payment(status, { paymentId: `p${from + index}` }),
          );
          return { payments, nextPageToken: String(from + pageSize) };
        },
      },
    });
    const argv = ["payment", "list", "--limit", "1200", "--status", "needs-review"];
    const { out } = await run([...argv, "-o", "json", "--address", stubs.address]);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(sizes).toEqual([1000, 200]);
    expect(lines).toHaveLength(1200);
    expect(lines[1199]).toMatchObject({
      paymentId: "p1199",
      status: "PAYMENT_STATUS_NEEDS_REVIEW",
    });
  });

  test("an empty list prints nothing that a script could take for a row", async () => {
    await using stubs = await startStubs({ payment: { list: () => ({}) } });
    const outcome = await run(["payment", "list", "--address", stubs.address]);
    expect(outcome).toEqual({ exitCode: 0, out: "", err: "nothing found\n" });
  });
});

test("refund shows the refund, with the amount in the currency's own decimals", async () => {
  await using stubs = await startStubs({
    payment: {
      refund: ({ paymentId, amount }) => ({
        refund: { refundId: "r1", paymentId, amount, status: RefundStatus.PENDING },
      }),
    },
  });
  const argv = ["payment", "refund", "p1", "--amount", "2", "KWD", "--address", stubs.address];
  const { out } = await run(argv);
  expect(out).toContain("2.000 KWD");
  expect(out).toContain("PENDING");
});

describe("watch", () => {
  test("goes on where a cut stream ended, and ends with the final state", async () => {
    const tokens: string[] = [];
    const { PENDING, PROCESSING, SUCCEEDED } = PaymentStatus;
    await using stubs = await startStubs({
      payment: {
        async *watch({ resumeToken }) {
          tokens.push(resumeToken);
          if (resumeToken === "") {
            yield { payment: payment(PENDING, { message: "accepted" }), resumeToken: "t1" };
            yield { heartbeat: true, resumeToken: "t2" };
            throw new Refusal("STREAM_CUT");
          }
          if (resumeToken === "t2") {
            yield { payment: payment(PROCESSING, { message: "waits" }), resumeToken: "t3" };
            return;
          }
          yield { payment: payment(SUCCEEDED, { message: "settled" }), resumeToken: "t4" };
        },
      },
    });
    const { exitCode, out } = await run(["payment", "watch", "p1", "--address", stubs.address]);
    expect(exitCode).toBe(0);
    expect(tokens).toEqual(["", "t2", "t3"]);
    expect(out.match(/accepted|waits|settled/g)).toEqual(["accepted", "waits", "settled"]);
  });

  test("prints one JSON line per change and none for a sign of life", async () => {
    await using stubs = await startStubs({
      payment: {
        async *watch() {
          yield { heartbeat: true, resumeToken: "t1" };
          yield { payment: payment(PaymentStatus.FAILED), resumeToken: "t2" };
        },
      },
    });
    const { out } = await run(["payment", "watch", "p1", "-o", "json", "--address", stubs.address]);
    expect(JSON.parse(out)).toMatchObject({ status: "PAYMENT_STATUS_FAILED" });
  });

  test("a refusal ends it at once: resuming would not help", async () => {
    let calls = 0;
    await using stubs = await startStubs({
      payment: {
        watch: () => {
          calls += 1;
          throw new Refusal("PAYMENT_NOT_FOUND");
        },
      },
    });
    const { exitCode, err } = await run(["payment", "watch", "gone", "--address", stubs.address]);
    expect({ exitCode, calls }).toEqual({ exitCode: 1, calls: 1 });
    expect(err).toContain("PAYMENT_NOT_FOUND");
  });

  test("Ctrl-C ends it without an error", async () => {
    const interrupt = new AbortController();
    await using stubs = await startStubs({
      payment: {
        async *watch(_, context) {
          yield { payment: payment(PaymentStatus.PENDING), resumeToken: "t1" };
          interrupt.abort();
          await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
        },
      },
    });
    const argv = ["payment", "watch", "p1", "--address", stubs.address];
    const { exitCode, err } = await run(argv, { signal: interrupt.signal });
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
  });
});
