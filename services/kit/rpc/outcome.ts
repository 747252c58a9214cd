import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { ErrorInfoSchema, RequestInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import { Refusal } from "../refusal.ts";
import { type Call, callKey } from "./call.ts";
import { ERROR_DOMAIN, reasonOf, toConnectError } from "./errors.ts";
import { outageOf } from "./outages.ts";

/** Codes of a peer that pass through to the caller: it may retry, and nothing is wrong here. */
const PASSING_PEER_CODES = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
  Code.Aborted,
  Code.ResourceExhausted,
]);

/**
 * The outermost interceptor: whatever a handler throws becomes an error that tells the caller what to do and
 * nothing about the inside. Refusals get status and message by the table; a bug is INTERNAL.
 */
export function outcomeInterceptor(reasons: ReasonTable): Interceptor {
  return (next) => async (request) => {
    const call = request.contextValues.get(callKey);
    if (call !== undefined) call.reached = true;
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return {
        ...response,
        message: failing(response.message, (error) => toWire(error, reasons, call)),
      };
    } catch (error) {
      throw toWire(error, reasons, call);
    }
  };
}

async function* failing<T>(
  messages: AsyncIterable<T>,
  translate: (error: unknown) => ConnectError,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw translate(error);
  }
}

/** The error as the caller sees it; also noted on the call for the log. */
export function toWire(error: unknown, reasons: ReasonTable, call: Call | undefined): ConnectError {
  const wire = translate(error, reasons);
  if (call !== undefined) {
    wire.details.push({ desc: RequestInfoSchema, value: { requestId: call.requestId } });
    call.code = wire.code;
    call.reason = outgoingReason(wire);
    call.cause = wire.cause;
  }
  return wire;
}

function translate(error: unknown, reasons: ReasonTable): ConnectError {
  if (error instanceof Refusal) return refuse(error, reasons);
  const outage = outageOf(error);
  if (outage !== undefined) return refuse(outage, reasons);
  if (!(error instanceof ConnectError)) return internal(error);
  return error.isWireError ? fromPeer(error) : error;
}

function refuse(refusal: Refusal, reasons: ReasonTable): ConnectError {
  try {
    return toConnectError(refusal, reasons);
  } catch (error) {
    return internal(error);
  }
}

/** A peer's error that a handler let through: its reason and details when it has one, else only its code. */
function fromPeer(error: ConnectError): ConnectError {
  if (error.code === Code.Internal || error.code === Code.Unknown) return internal(error);
  if (reasonOf(error) !== undefined) {
    const details = error.details.filter(
      (detail) => "type" in detail && !isRequestInfo(detail.type),
    );
    const passed = new ConnectError(error.rawMessage, error.code, undefined, undefined, error);
    passed.details.push(...details);
    return passed;
  }
  if (!PASSING_PEER_CODES.has(error.code)) return internal(error);
  return new ConnectError(
    "a service this one depends on does not answer; retry",
    error.code,
    undefined,
    undefined,
    error,
  );
}

function isRequestInfo(typeName: string): boolean {
  return typeName === RequestInfoSchema.typeName;
}

function internal(cause: unknown): ConnectError {
  return new ConnectError("internal error", Code.Internal, undefined, undefined, cause);
}

function outgoingReason(error: ConnectError): string | undefined {
  for (const detail of error.details) {
    if ("desc" in detail && detail.desc === ErrorInfoSchema && "reason" in detail.value) {
      return String(detail.value.reason);
    }
  }
  return error.findDetails(ErrorInfoSchema).find((info) => info.domain === ERROR_DOMAIN)?.reason;
}
