import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { ErrorInfoSchema, RequestInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import { Refusal } from "../refusal.ts";
import { abortable, aborted } from "./abortable.ts";
import { type Call, callKey } from "./call.ts";
import { reasonOf, toConnectError } from "./errors.ts";
import { outageOf } from "./outages.ts";
import { readRefusal } from "./transport-errors.ts";

/** Codes of a peer that pass through to the caller: it may retry, and nothing is wrong here. */
const PASSING_PEER_CODES = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
  Code.Aborted,
  Code.ResourceExhausted,
]);

const PEER_SILENT = "A service this one depends on does not answer; retry.";

/** Counts handlers, so that a drain waits for them even when their answer was given up. */
export type Track = (running: Promise<unknown>) => void;

/**
 * The outermost interceptor: whatever a handler throws becomes an error that tells the caller what to do and
 * nothing about the inside, and a call ends at its deadline even when the handler does not.
 */
export function outcomeInterceptor(
  reasons: ReasonTable,
  track: Track = () => undefined,
): Interceptor {
  return (next) => async (request) => {
    const call = request.contextValues.get(callKey);
    if (call !== undefined) call.reached = true;
    const fail = (error: unknown): ConnectError =>
      toWire(leftAlone(request.signal, error) ? callerGone() : error, reasons, call);
    try {
      if (!request.stream) {
        const running = next(request);
        track(running);
        return await Promise.race([running, aborted(request.signal, running)]);
      }
      const response = await next({ ...request, message: readable(request.message) });
      if (!response.stream) return response;
      return { ...response, message: failing(abortable(response.message, request.signal), fail) };
    } catch (error) {
      throw fail(error);
    }
  };
}

/** Whether the error only says that the caller went away, in the words of Node or of a driver. */
function leftAlone(signal: AbortSignal, error: unknown): boolean {
  return signal.aborted && error instanceof Error && error.name === "AbortError";
}

/** Messages of the caller; one that does not parse is its mistake, and not a bug of the handler that reads it. */
async function* readable<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw readRefusal(error) ?? error;
  }
}

async function* failing<T>(
  messages: AsyncIterable<T>,
  fail: (error: unknown) => ConnectError,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw fail(error);
  }
}

/** The error as the caller sees it; also noted on the call for the log. */
export function toWire(error: unknown, reasons: ReasonTable, call: Call | undefined): ConnectError {
  const wire = translate(error, reasons, call);
  if (call !== undefined) {
    wire.details.push({ desc: RequestInfoSchema, value: { requestId: call.requestId } });
    call.code = wire.code;
    call.reason = reasonIn(wire);
    call.cause = wire.cause ?? error;
  }
  return wire;
}

function translate(error: unknown, reasons: ReasonTable, call: Call | undefined): ConnectError {
  if (error instanceof Refusal) return refuse(error, reasons);
  const outage = outageOf(error);
  if (outage !== undefined) return refuse(outage, reasons);
  if (!(error instanceof ConnectError)) return internal(error);
  if (error.isWireError) return fromPeer(error);
  return error.details.length > 0 ? error : fromLibrary(error, reasons, call);
}

/** An error that Connect made here: as a server for this call, or as a client of a peer that it did not reach. */
function fromLibrary(
  error: ConnectError,
  reasons: ReasonTable,
  call: Call | undefined,
): ConnectError {
  switch (error.code) {
    case Code.Internal:
    case Code.Unknown:
      return internal(error);
    case Code.Unavailable:
      return new ConnectError(PEER_SILENT, error.code, undefined, undefined, error);
    case Code.DeadlineExceeded: {
      const expired = call?.streaming === true && call.clamped;
      const reason = expired ? "STREAM_EXPIRED" : "DEADLINE_EXCEEDED";
      return refuse(new Refusal(reason, { cause: error }), reasons);
    }
    default:
      return error;
  }
}

function refuse(refusal: Refusal, reasons: ReasonTable): ConnectError {
  try {
    return toConnectError(refusal, reasons);
  } catch (error) {
    // A reason that no table has is a bug of this service.
    return internal(error);
  }
}

/** A peer's error that a handler let through: with its reason and details when it has one, else only its code. */
function fromPeer(error: ConnectError): ConnectError {
  const bug = error.code === Code.Internal || error.code === Code.Unknown;
  if (bug || (reasonOf(error) === undefined && !PASSING_PEER_CODES.has(error.code))) {
    return internal(error);
  }
  const message = reasonOf(error) === undefined ? PEER_SILENT : error.rawMessage;
  const passed = new ConnectError(message, error.code, undefined, undefined, error);
  passed.details = error.details.filter((detail) => !isRequestInfo(detail));
  return passed;
}

/** The caller gets the id of its own request, not that of the request to the peer. */
function isRequestInfo(detail: ConnectError["details"][number]): boolean {
  return "type" in detail && detail.type === RequestInfoSchema.typeName;
}

function callerGone(): ConnectError {
  return new ConnectError("the caller went away", Code.Canceled);
}

function internal(cause: unknown): ConnectError {
  return new ConnectError("internal error", Code.Internal, undefined, undefined, cause);
}

/** The reason an outgoing error carries; `reasonOf` reads incoming ones. */
function reasonIn(error: ConnectError): string | undefined {
  for (const detail of error.details) {
    if ("desc" in detail && detail.desc.typeName === ErrorInfoSchema.typeName) {
      return "reason" in detail.value ? String(detail.value.reason) : undefined;
    }
  }
  return reasonOf(error);
}
