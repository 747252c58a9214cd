import { Code, createContextKey } from "@connectrpc/connect";
import type { Log } from "../log.ts";

/**
 * One request on its way through the server. The adapter makes it before the protocol is parsed; the gate and
 * the interceptors note what became of it; the access log reads it when the response is closed.
 */
export interface Call {
  /** Sent back as `x-request-id`, and part of every error. */
  readonly requestId: string;
  /** `package.Service/Method`. */
  readonly rpc: string;
  readonly streaming: boolean;
  readonly startMs: number;
  /** The caller named no deadline, or a longer one than the server grants. */
  clamped: boolean;
  /** Whether the message was parsed and the interceptors ran; false means the transport refused the call. */
  reached: boolean;
  /** How it ended; undefined is OK, or not known yet. */
  code: Code | undefined;
  reason: string | undefined;
  /** What the caller is not told. */
  cause: unknown;
  /** Run once, when the call has ended for its caller. */
  readonly onEnd: (() => void)[];
}

/** The call a handler or interceptor belongs to; undefined outside a server. */
export const callKey = createContextKey<Call | undefined>(undefined, { description: "call" });

/** A call that begins now. */
export function startCall(rpc: string, streaming: boolean, requestId: string): Call {
  return {
    requestId,
    rpc,
    streaming,
    startMs: performance.now(),
    clamped: false,
    reached: false,
    code: undefined,
    reason: undefined,
    cause: undefined,
    onEnd: [],
  };
}

/** One line per call: debug, or warn when the server could not do its part, or error when it is a bug. */
export function logCall(log: Log, call: Call): void {
  const line = {
    rpc: call.rpc,
    requestId: call.requestId,
    code: call.code === undefined ? "OK" : Code[call.code],
    reason: call.reason,
    durationMs: Math.round(performance.now() - call.startMs),
  };
  switch (call.code) {
    case Code.Internal:
    case Code.Unknown:
    case Code.DataLoss:
      log.error({ ...line, err: call.cause }, "call failed by a bug");
      break;
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      log.warn({ ...line, err: call.cause }, "call failed");
      break;
    default:
      log.debug(line, "call");
  }
}
