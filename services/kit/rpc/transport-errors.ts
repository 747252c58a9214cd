import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { createAsyncIterable, encodeEnvelope, readAllBytes } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  errorFromJsonBytes,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { findTrailerError, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerParse, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { Refusal } from "../refusal.ts";

/** The parser repeats what it met, which may be as long as the message; trailers may not. */
const MALFORMED_TEXT_MAX = 500;

/** Flags and length before a gRPC-Web message. */
const ENVELOPE_HEADER_BYTES = 5;

/** The names Connect gives its protocols. */
export type ProtocolName = "grpc" | "grpc-web" | "connect";

/** Which protocol a request speaks, by its content type; a GET has none and is Connect. */
export function protocolOf(contentType: string | null | undefined): ProtocolName {
  if (!contentType?.startsWith("application/grpc")) return "connect";
  return contentType.startsWith("application/grpc-web") ? "grpc-web" : "grpc";
}

/**
 * The refusal that an error of reading a request stands for, or undefined when it is not about the message. Connect
 * calls a message it cannot parse INTERNAL in binary and INVALID_ARGUMENT in JSON: both are the caller's doing.
 */
export function readRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof ConnectError)) return new Refusal("MALFORMED_MESSAGE", { cause: error });
  switch (error.code) {
    case Code.Internal:
    case Code.Unknown:
    case Code.InvalidArgument:
      return new Refusal("MALFORMED_MESSAGE", malformedText(error));
    case Code.ResourceExhausted:
      return new Refusal("MESSAGE_TOO_LARGE", { cause: error });
    default:
      return undefined;
  }
}

function malformedText(error: ConnectError): {
  readonly cause: unknown;
  readonly message?: string;
} {
  // "internal error" is Connect's word for an error of another kind; the reason's own message says more.
  if (error.rawMessage === "" || error.rawMessage === "internal error") return { cause: error };
  return { cause: error, message: error.rawMessage.slice(0, MALFORMED_TEXT_MAX) };
}

/** An error of writing a response: it is too large, or a handler made a message that cannot be written. */
export function writeFailure(error: ConnectError): Error {
  if (error.code === Code.ResourceExhausted)
    return new Refusal("RESPONSE_TOO_LARGE", { cause: error });
  return new Error("response cannot be written", { cause: error });
}

/**
 * Lets errors that Connect answered outside the interceptors be said in the words of every other error, in the
 * protocol of the call. Only for unary calls: their response is complete when the handler answers.
 */
export async function improveError(
  response: UniversalServerResponse,
  protocol: ProtocolName,
  improve: (error: ConnectError) => ConnectError,
): Promise<UniversalServerResponse> {
  switch (protocol) {
    case "grpc": {
      const error = findTrailerError(response.trailer ?? new Headers());
      if (error === undefined) return response;
      return { ...response, trailer: setTrailerStatus(new Headers(), improve(error)) };
    }
    case "grpc-web":
      return improveGrpcWeb(response, improve);
    case "connect":
      return improveConnect(response, improve);
  }
}

/** In gRPC-Web the trailers are the last message of the body; an error has no message before it. */
async function improveGrpcWeb(
  response: UniversalServerResponse,
  improve: (error: ConnectError) => ConnectError,
): Promise<UniversalServerResponse> {
  const bytes = await bodyOf(response);
  if (bytes?.[0] !== trailerFlag) return withBody(response, bytes);
  const error = findTrailerError(trailerParse(bytes.subarray(ENVELOPE_HEADER_BYTES)));
  if (error === undefined) return withBody(response, bytes);
  const trailer = setTrailerStatus(new Headers(), improve(error));
  return withBody(response, encodeEnvelope(trailerFlag, trailerSerialize(trailer)));
}

/** In Connect an error is a JSON body with the HTTP status of its code. */
async function improveConnect(
  response: UniversalServerResponse,
  improve: (error: ConnectError) => ConnectError,
): Promise<UniversalServerResponse> {
  if (response.status < 400 || response.body === undefined) return response;
  const bytes = await bodyOf(response);
  const unreadable = new ConnectError("internal error", Code.Internal);
  const error = improve(errorFromJsonBytes(bytes ?? new Uint8Array(), undefined, unreadable));
  const body = errorToJsonBytes(error, undefined);
  const header = new Headers(response.header);
  header.delete("content-encoding");
  header.set("content-length", `${body.byteLength}`);
  return withBody({ ...response, status: codeToHttpStatus(error.code), header }, body);
}

async function bodyOf(response: UniversalServerResponse): Promise<Uint8Array | undefined> {
  if (response.body === undefined) return undefined;
  return readAllBytes(response.body, Number.MAX_SAFE_INTEGER);
}

function withBody(
  response: UniversalServerResponse,
  bytes: Uint8Array | undefined,
): UniversalServerResponse {
  return bytes === undefined ? response : { ...response, body: createAsyncIterable([bytes]) };
}
