import { Code, ConnectError } from "@connectrpc/connect";
import { type Payment, PaymentStatus, type WatchResponse } from "#gen/payment/v1/payment_pb.ts";
import { isReason, SettleError, toSettleError } from "./errors.ts";
import type { CallOptions, RetryPolicy } from "./options.ts";
import { pauseFor, pauseMs } from "./retry.ts";

/** How a payment is watched. */
export interface WatchOptions {
  readonly signal?: AbortSignal;
  /** Where an earlier watch ended; without it the first payment is the present one. */
  readonly resumeToken?: string;
  /** Told after every message, so that a later process can go on there. */
  readonly onToken?: (resumeToken: string) => void;
  /** Gives up when nobody answered for so long, in milliseconds. Default 300,000. */
  readonly giveUpAfterMs?: number;
  /** A stream silent for so long is dead: the server says something every 15 s. In milliseconds, default 45,000. */
  readonly silenceMs?: number;
}

/** Opens one stream. */
type Open = (
  request: { readonly paymentId: string; readonly resumeToken: string },
  options: CallOptions,
) => AsyncIterable<WatchResponse>;

const GIVE_UP_AFTER_MS = 300_000;
const SILENCE_MS = 45_000;

const FINAL = new Set<PaymentStatus>([
  PaymentStatus.SUCCEEDED,
  PaymentStatus.FAILED,
  PaymentStatus.CANCELLED,
  PaymentStatus.PARTIALLY_REFUNDED,
  PaymentStatus.REFUNDED,
]);

/**
 * A payment after each change, until it is final; the last one is the final one. Goes on where it was after a lost connection, a restart of the
 * service or the end of the hour a stream may last. Fails with a SettleError: a final refusal, or nobody answered.
 */
export async function* watchPayment(
  open: Open,
  policy: RetryPolicy,
  paymentId: string,
  options: WatchOptions = {},
): AsyncGenerator<Payment> {
  const { signal, giveUpAfterMs = GIVE_UP_AFTER_MS, silenceMs = SILENCE_MS } = options;
  let resumeToken = options.resumeToken ?? "";
  let seen: string | undefined;
  let heardMs = performance.now();
  for (let tries = 1; ; tries += 1) {
    let failure: SettleError;
    let wasHeard = false;
    try {
      for await (const message of listen(open, { paymentId, resumeToken }, silenceMs, signal)) {
        tries = 0;
        heardMs = performance.now();
        resumeToken = message.resumeToken;
        options.onToken?.(resumeToken);
        wasHeard = true;
        if (message.payment === undefined) continue;
        if (message.payment.etag !== seen) yield message.payment;
        seen = message.payment.etag;
        if (FINAL.has(message.payment.status)) return;
      }
      // Ended in peace before the payment did: the server leaves, or the token was that of the end. Then the present
      // state tells which.
      if (!wasHeard) resumeToken = "";
      failure = new SettleError(new ConnectError("the stream ended", Code.Unavailable));
    } catch (error) {
      failure = toSettleError(error);
      // A token of another database: begin again with the present state.
      if (isReason(failure, "RESUME_TOKEN_EXPIRED") && resumeToken !== "") resumeToken = "";
      else if (signal?.aborted || !failure.retryable) throw failure;
    }
    if (performance.now() - heardMs > giveUpAfterMs) throw failure;
    await pauseFor(pauseMs(policy, Math.max(tries, 1), failure), signal, failure);
  }
}

/** One stream, ended as UNAVAILABLE when it falls silent. */
async function* listen(
  open: Open,
  request: { readonly paymentId: string; readonly resumeToken: string },
  silenceMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<WatchResponse> {
  const silent = new AbortController();
  const listenOn = () => setTimeout(() => silent.abort(), silenceMs);
  let timer = listenOn();
  const heard = () => {
    clearTimeout(timer);
    timer = listenOn();
  };
  const both = signal ? AbortSignal.any([signal, silent.signal]) : silent.signal;
  try {
    for await (const message of open(request, { signal: both })) {
      heard();
      yield message;
      heard();
    }
  } catch (error) {
    if (!silent.signal.aborted || signal?.aborted) throw error;
    throw new ConnectError("the stream fell silent", Code.Unavailable);
  } finally {
    clearTimeout(timer);
    // Whoever stops reading ends the call at the server too.
    silent.abort();
  }
}
