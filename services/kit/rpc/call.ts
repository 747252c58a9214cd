import { Code, createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Caller } from "../auth/authority.ts";
import type { Log } from "../log.ts";
import type { SecurityEvent, SecurityLog } from "../security-log.ts";

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
  /** Address it came from; empty where that is not known. */
  readonly source: string;
  /** Who calls, once the gate knows. */
  caller: Caller | undefined;
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
  /** Run once, when the call begins to wait for something to happen. */
  readonly onWait: (() => void)[];
  /** Aborted with a refusal when a stream has to end, say because its key was revoked. */
  readonly ending: AbortController;
  /** What the security log hears of when the call has succeeded. */
  readonly changes: { readonly event: SecurityEvent; readonly object: string }[];
}

/** What a call begins with. */
export interface Arrival {
  readonly rpc: string;
  readonly streaming: boolean;
  readonly requestId: string;
  readonly source: string;
}

/** The call a handler or interceptor belongs to; undefined outside a server. */
export const callKey = createContextKey<Call | undefined>(undefined, { description: "call" });

/** A call that begins now. */
export function startCall(arrival: Arrival): Call {
  return {
    ...arrival,
    caller: undefined,
    startMs: performance.now(),
    clamped: false,
    reached: false,
    code: undefined,
    reason: undefined,
    cause: undefined,
    onEnd: [],
    onWait: [],
    ending: new AbortController(),
    changes: [],
  };
}

/** The call only waits from now on: it gives its running places up and takes waiting places. */
export function beginWait(call: Call): void {
  for (const wait of call.onWait.splice(0)) wait();
}

/** Tells the security log of a change, if the call succeeds. `object` is the id of what was changed. */
export function noteChange(context: HandlerContext, event: SecurityEvent, object: string): void {
  context.values.get(callKey)?.changes.push({ event, object });
}

/** Ends of a call that a stranger can cause at will: the security log has them, sampled. */
function securityEventOf({ code, reason }: Call): SecurityEvent | undefined {
  if (code === Code.Unauthenticated) return "unauthenticated";
  if (code === Code.PermissionDenied) return "denied";
  if (reason === "RATE_LIMITED") return "rate_limited";
  return reason === "OVERLOADED" ? "overloaded" : undefined;
}

/** Tells the security log what it has to know of an ended call. */
export function logSecurity(security: SecurityLog, call: Call): void {
  const { source, requestId, reason, rpc: target, caller } = call;
  const { tenant, subject, credential } = caller ?? {};
  const note = { source, tenant, subject, credential, target, requestId };
  const event = securityEventOf(call);
  if (event !== undefined) security.note({ event, ...note, reason });
  if (call.code !== undefined) return;
  for (const change of call.changes) security.note({ ...note, ...change });
}

/**
 * One line per call: debug, or warn when the server could not do its part, or error when it is a bug. Only a bug brings
 * its stack: whatever a caller can cause, by a short deadline say, must not fill the log.
 */
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
      if (call.reason === "OVERLOADED") log.debug(line, "call");
      else log.warn({ ...line, cause: textOf(call.cause) }, "call failed");
      break;
    default:
      log.debug(line, "call");
  }
}

/** What went wrong, cause by cause, without stacks. */
function textOf(error: unknown): string {
  const texts: string[] = [];
  let next = error;
  while (next instanceof Error && texts.length < CAUSES_MAX) {
    texts.push(`${next.name}: ${next.message}`.slice(0, CAUSE_TEXT_MAX));
    next = next.cause;
  }
  return texts.join("; ");
}

/** How much of a cause is written. */
const CAUSES_MAX = 4;
const CAUSE_TEXT_MAX = 300;
