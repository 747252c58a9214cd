import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { PaymentSchema, PaymentStatus } from "#gen/payment/v1/payment_pb.ts";
import { Refusal } from "#kit/refusal.ts";
import { VERSION } from "#kit/version.ts";
import { run, startStubs } from "./run.ts";

const { PENDING, REQUIRES_CAPTURE, SUCCEEDED, FAILED, CANCELLED, REFUNDED } = PaymentStatus;

/** A server whose payments are in this state from the start. */
const stubsOf = (status: PaymentStatus) => {
  const payment = create(PaymentSchema, { paymentId: "p1", status });
  return startStubs({
    payment: {
      create: () => ({ payment }),
      async *watch() {
        yield { payment, resumeToken: "t1" };
      },
    },
  });
};

const PAY = ["payment", "create", "--account", "1", "--amount", "1", "USD"];

describe("a script can go by the exit code of a payment", () => {
  test.each([
    [SUCCEEDED, 0],
    [REFUNDED, 0],
    [FAILED, 3],
    [CANCELLED, 3],
    [PENDING, 4],
    [REQUIRES_CAPTURE, 4],
  ])("create --wait completed that shows status %i exits %i", async (status, wanted) => {
    await using stubs = await stubsOf(status);
    for (const output of ["table", "json"]) {
      const argv = [...PAY, "--wait", "completed", "-o", output, "--address", stubs.address];
      const { exitCode, err } = await run(argv);
      expect({ exitCode, err }).toEqual({ exitCode: wanted, err: "" });
    }
  });

  test("without --wait completed an open payment is what was asked for", async () => {
    await using stubs = await stubsOf(PENDING);
    expect((await run([...PAY, "--address", stubs.address])).exitCode).toBe(0);
  });

  test.each([
    [SUCCEEDED, 0],
    [FAILED, 3],
    [CANCELLED, 3],
  ])("watch that ends with status %i exits %i", async (status, wanted) => {
    await using stubs = await stubsOf(status);
    const { exitCode } = await run(["payment", "watch", "p1", "--address", stubs.address]);
    expect(exitCode).toBe(wanted);
  });
});

describe("a refusal says what the state leaves to do", () => {
  test.each([
    ["refund", "NOT_REFUNDABLE", "FAILED", "nothing was taken: settle payment create"],
    [
      "refund",
      "NOT_REFUNDABLE",
      "REQUIRES_CAPTURE",
      "settle payment capture p1, or settle payment cancel p1",
    ],
    ["refund", "NOT_REFUNDABLE", "PROCESSING", "wait for its end: settle payment watch p1"],
    ["capture", "NOT_CAPTURABLE", "FAILED", "nothing was taken: settle payment create"],
    ["capture", "NOT_CAPTURABLE", "SUCCEEDED", "settle payment refund p1"],
    ["cancel", "NOT_CANCELLABLE", "FAILED", "nothing was taken: settle payment create"],
    ["cancel", "NOT_CANCELLABLE", "REFUNDED", "nothing: all of the money was given back"],
    ["cancel", "NOT_CANCELLABLE", "SUCCEEDED", "settle payment refund p1"],
  ])("%s refused as %s of a payment that is %s", async (verb, reason, status, next) => {
    const refuse = () => {
      throw new Refusal(reason, { metadata: { payment_id: "p1", status } });
    };
    await using stubs = await startStubs({
      payment: { refund: refuse, capture: refuse, cancel: refuse },
    });
    const { exitCode, err } = await run(["payment", verb, "p1", "--address", stubs.address]);
    expect(exitCode).toBe(1);
    expect(err).toContain("next:  ");
    expect(err).toContain(next);
  });
});

test("--version is that of the package, and --help has the table of exit codes", async () => {
  expect(await run(["--version"])).toMatchObject({ exitCode: 0, out: `${VERSION}\n` });
  const { out } = await run(["--help"]);
  for (const code of ["0 done", "1 the call", "2 the command", "3 the payment", "4 the payment"])
    expect(out).toContain(code);
});
