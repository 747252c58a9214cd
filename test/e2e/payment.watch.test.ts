import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureMode, WaitUntil, type WatchResponse } from "#gen/payment/v1/payment_pb.ts";
import { onBehalfOf } from "#kit/rpc/client.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import type { Stack } from "#test/support/stack.ts";
import {
  Behaviour,
  endOf,
  failure,
  nameOf,
  openAccount,
  PaymentStatus,
  pay,
  startQuickStack,
  until,
} from "./payment.support.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startQuickStack();
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

async function all(stream: AsyncIterable<WatchResponse>): Promise<WatchResponse[]> {
  const events: WatchResponse[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** Statuses of the last event's timeline: every change, whatever was seen of it between. */
function timelineOf(events: readonly WatchResponse[]): string[] {
  const timeline = events.at(-1)?.payment?.timeline ?? [];
  return timeline.map(({ status }) => nameOf(PaymentStatus, status));
}

function waiting(): Promise<string> {
  return openAccount(stack, 100n).then((accountId) =>
    pay(stack, accountId, Behaviour.OK, { captureMode: CaptureMode.MANUAL }),
  );
}

describe("Watch", () => {
  test("streams a payment from its present state to its end, then ends by itself", async () => {
    const paymentId = await pay(stack, await openAccount(stack, 100n), Behaviour.CALLBACK);
    const events = await all(stack.payment.watch({ paymentId }));
    const versions = events.map(({ payment }) => payment?.etag);
    expect(new Set(versions).size).toBe(events.length);
    expect(events.every(({ heartbeat }) => !heartbeat)).toBe(true);
    expect(events.at(-1)?.payment?.status).toBe(PaymentStatus.SUCCEEDED);
    const { payment } = await stack.payment.get({ paymentId });
    expect(events.at(-1)?.payment).toEqual(payment);
    expect(timelineOf(events)[0]).toBe("PENDING");
  });

  test("shows each change that somebody waits to see, in order", async () => {
    const paymentId = await waiting();
    const seen: string[] = [];
    for await (const { payment } of stack.payment.watch({ paymentId })) {
      seen.push(nameOf(PaymentStatus, payment?.status));
      if (payment?.status === PaymentStatus.REQUIRES_CAPTURE)
        stack.payment.capture({ paymentId }).catch(() => undefined);
    }
    expect(seen).toContain("REQUIRES_CAPTURE");
    expect(seen.at(-1)).toBe("SUCCEEDED");
    expect(seen.indexOf("REQUIRES_CAPTURE")).toBeLessThan(seen.length - 1);
  });

  test("of a payment that has ended answers it once", async () => {
    const paymentId = await pay(stack, await openAccount(stack, 100n));
    await endOf(stack, paymentId);
    const events = await all(stack.payment.watch({ paymentId }));
    expect(events).toHaveLength(1);
    const [{ resumeToken } = { resumeToken: "" }] = events;
    expect(await all(stack.payment.watch({ paymentId, resumeToken }))).toEqual([]);
  });

  test("serves 50 watchers of one payment the same end", async () => {
    const paymentId = await waiting();
    const watchers = Array.from({ length: 50 }, () => all(stack.payment.watch({ paymentId })));
    await until(stack, paymentId, PaymentStatus.REQUIRES_CAPTURE);
    await stack.payment.capture({ paymentId });
    const ends = (await Promise.all(watchers)).map((events) => events.at(-1)?.payment?.etag);
    expect(new Set(ends).size).toBe(1);
  });
});

describe("Watch with a resume token", () => {
  test("goes on after the change that was seen, however far back that was", async () => {
    const paymentId = await waiting();
    const token = await tokenAt(paymentId, PaymentStatus.REQUIRES_CAPTURE);
    await stack.payment.capture({ paymentId });
    const events = await all(stack.payment.watch({ paymentId, resumeToken: token }));
    expect(events.length).toBeGreaterThan(0);
    expect(events.map(({ payment }) => payment?.status)).not.toContain(
      PaymentStatus.REQUIRES_CAPTURE,
    );
    expect(timelineOf(events)).toEqual(["PENDING", "REQUIRES_CAPTURE", "PROCESSING", "SUCCEEDED"]);
  });

  test("goes on after the service was stopped in the middle and started again", async () => {
    const paymentId = await waiting();
    const token = await tokenAt(paymentId, PaymentStatus.REQUIRES_CAPTURE);
    const broken = failure(all(stack.payment.watch({ paymentId, resumeToken: token })));
    await stack.stop("payment");
    expect(await broken).toMatch(/^Unavailable/);
    await stack.start("payment");
    const events = all(stack.payment.watch({ paymentId, resumeToken: token }));
    const { payment } = await stack.payment.capture({ paymentId });
    expect(payment?.status).toBe(PaymentStatus.SUCCEEDED);
    expect((await events).at(-1)?.payment?.status).toBe(PaymentStatus.SUCCEEDED);
  });

  test.each([
    ["made up", "made up", "OutOfRange RESUME_TOKEN_EXPIRED"],
    ["of a future that never was", "999999", "OutOfRange RESUME_TOKEN_EXPIRED"],
    ["negative", "-1", "OutOfRange RESUME_TOKEN_EXPIRED"],
  ])("%s is refused", async (_, resumeToken, expected) => {
    const paymentId = await pay(stack, await openAccount(stack, 100n));
    const error = await failure(all(stack.payment.watch({ paymentId, resumeToken })));
    expect(error).toContain(expected);
  });
});

describe("Watch refuses", () => {
  test.each([
    ["an unknown payment", { paymentId: "nobody" }, "NotFound PAYMENT_NOT_FOUND"],
    ["no payment", {}, "InvalidArgument INVALID_FIELD payment_id"],
  ])("%s", async (_, request, expected) => {
    expect(await failure(all(stack.payment.watch(request)))).toBe(expected);
  });

  test("another tenant's payment as if it were not there", async () => {
    const paymentId = await pay(stack, await openAccount(stack, 100n));
    const other = stack.payment.watch({ paymentId }, onBehalfOf({ tenant: "other" }));
    expect(await failure(all(other))).toBe("NotFound PAYMENT_NOT_FOUND");
  });
});

describe("Watch of a payment that stands still", () => {
  beforeAll(async () => {
    await stack.stop("payment");
    await stack.start("payment", { SETTLE_WATCH_HEARTBEAT: "100ms", SETTLE_WATCH_MAX: "1s" });
  });

  test("shows signs of life, and ends at its limit as UNAVAILABLE with a token that misses and repeats nothing", async () => {
    // The service opens its feed for the first who waits, which takes as long as a stream may last here.
    const paymentId = await pay(stack, await openAccount(stack, 100n), Behaviour.OK, {
      captureMode: CaptureMode.MANUAL,
      waitUntil: WaitUntil.AUTHORIZED,
    });
    const events: WatchResponse[] = [];
    const silent = (async () => {
      for await (const event of stack.payment.watch({ paymentId })) events.push(event);
    })();
    expect(await failure(silent)).toBe("Unavailable STREAM_EXPIRED");
    const [change, ...signs] = events;
    expect(change?.payment?.status).toBe(PaymentStatus.REQUIRES_CAPTURE);
    expect(signs.length).toBeGreaterThan(0);
    const resumeToken = change?.resumeToken ?? "";
    for (const sign of signs) {
      expect(sign).toMatchObject({ heartbeat: true, resumeToken });
      expect(sign.payment).toBeUndefined();
    }
    await stack.payment.capture({ paymentId });
    const rest = await all(stack.payment.watch({ paymentId, resumeToken }));
    expect(rest.map(({ payment }) => payment?.status)).toEqual([PaymentStatus.SUCCEEDED]);
  });
});

/** Watches until the payment has the status, leaves the stream, and answers the token of that event. */
async function tokenAt(paymentId: string, status: PaymentStatus): Promise<string> {
  for await (const { payment, resumeToken } of stack.payment.watch({ paymentId })) {
    if (payment?.status === status) return resumeToken;
  }
  throw new Error("the stream ended before");
}
