import { type Code, createContextKey } from "@connectrpc/connect";

/**
 * One request on its way through the server. The adapter makes it before the protocol is parsed; interceptors
 * fill in what became of it; the access log reads it when the response is closed.
 */
export interface Call {
  /** Sent back as `x-request-id`, and part of every error. */
  readonly requestId: string;
  /** `package.Service/Method`. */
  readonly rpc: string;
  readonly startMs: number;
  /** The caller named no deadline, or a longer one than the server grants. */
  readonly clamped: boolean;
  /** Whether the message was parsed and the interceptors ran; false means the transport refused the call. */
  reached: boolean;
  /** Undefined is OK. */
  code: Code | undefined;
  reason: string | undefined;
  /** What the caller is not told. */
  cause: unknown;
}

/** The call a handler or interceptor belongs to; undefined outside a server. */
export const callKey = createContextKey<Call | undefined>(undefined, { description: "call" });
