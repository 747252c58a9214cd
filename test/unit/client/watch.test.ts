import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { type WatchOptions, watchPayment } from "#client/watch.ts";
import {
  type Payment,
  PaymentStatus,
  type WatchResponse,
  WatchResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { Refusal } from "#kit/refusal.ts";
import { toConnectError } from "#kit/rpc/errors.ts";
import { paymentReasons } from "#services/payment/reasons.ts";

const policy = { maxAttempts: 3, firstPauseMs: 1, maxPauseMs: 2 };
const { PROCESSING, SUCCEEDED } = PaymentStatus;

/** A message of the stream whose token and etag are its version. */
function change(version: number, status: PaymentStatus): WatchResponse {
  return create(WatchResponseSchema, {
    resumeToken: String(version),
    payment: { paymentId: "p", status, etag: String(version) },
  });
}

/** Each stream in turn: its messages, then what it throws, if anything. */
function streams(...scripts: readonly (readonly (WatchResponse | Error)[])[]) {
  const tokens: string[] = [];
  const open = async function* (request: { resumeToken: string }) {
    const script = scripts[tokens.length] ?? [];
    tokens.push(request.resumeToken);
    for (const item of script) {
      if (item instanceof Error) throw item;
      yield item;
    }
  };
  return { open, tokens };
}

async function seen(watch: AsyncIterable<Payment>): Promise<PaymentStatus[]> {
  const statuses: PaymentStatus[] = [];
  for await (const payment of watch) statuses.push(payment.status);
  return statuses;
}

const lost = new ConnectError("lost", Code.Unavailable);

describe("watchPayment", () => {
  const watch = (open: Parameters<typeof watchPayment>[0], options?: WatchOptions) =>
    seen(watchPayment(open, policy, "p", options));

  test("ends at the final state", async () => {
    const { open, tokens } = streams([
      change(1, PROCESSING),
      change(2, SUCCEEDED),
      change(3, PROCESSING),
    ]);
    expect(await watch(open)).toEqual([PROCESSING, SUCCEEDED]);
    expect(tokens).toEqual([""]);
  });

  test("goes on after the last message when the connection is lost, also before the first", async () => {
    const { open, tokens } = streams(
      [lost],
      [change(1, PROCESSING), lost],
      [lost],
      [change(2, SUCCEEDED)],
    );
    expect(await watch(open)).toEqual([PROCESSING, SUCCEEDED]);
    expect(tokens).toEqual(["", "", "1", "1"]);
  });

  test("begins with the present state when the token is of another database", async () => {
    const expired = toConnectError(new Refusal("RESUME_TOKEN_EXPIRED"), paymentReasons);
    const { open, tokens } = streams([expired], [change(9, SUCCEEDED)]);
    expect(await watch(open, { resumeToken: "7" })).toEqual([SUCCEEDED]);
    expect(tokens).toEqual(["7", ""]);
  });

  test("tells the end also to who resumes after it, and no state twice", async () => {
    const { open, tokens } = streams(
      [change(1, PROCESSING)],
      [],
      [change(1, PROCESSING), change(2, SUCCEEDED)],
    );
    expect(await watch(open)).toEqual([PROCESSING, SUCCEEDED]);
    expect(tokens).toEqual(["", "1", ""]);
  });

  test("fails at once for a final refusal", async () => {
    const gone = toConnectError(new Refusal("PAYMENT_NOT_FOUND"), paymentReasons);
    const { open, tokens } = streams([gone]);
    await expect(watch(open)).rejects.toMatchObject({ reason: "PAYMENT_NOT_FOUND" });
    expect(tokens).toHaveLength(1);
  });

  test("gives up when nobody answers for long", async () => {
    const { open } = streams(...Array.from({ length: 1_000 }, () => [lost]));
    await expect(watch(open, { giveUpAfterMs: 30 })).rejects.toMatchObject({
      code: Code.Unavailable,
    });
  });

  test("takes a silent stream for dead and opens another", async () => {
    const { open, tokens } = streams([], [change(2, SUCCEEDED)]);
    const mute = async function* (
      request: { resumeToken: string },
      { signal }: { signal?: AbortSignal },
    ) {
      if (tokens.length === 0) {
        tokens.push("mute");
        await new Promise((_, reject) => {
          signal?.addEventListener("abort", () => reject(new ConnectError("ended", Code.Canceled)));
        });
      }
      yield* open(request);
    };
    expect(await watch(mute, { silenceMs: 20 })).toEqual([SUCCEEDED]);
  });

  test("stops for the caller's signal", async () => {
    const ended = new ConnectError("ended", Code.Canceled);
    const { open } = streams([change(1, PROCESSING), ended]);
    await expect(watch(open, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: Code.Canceled,
    });
  });
});
