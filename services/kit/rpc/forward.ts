import type {
  DescMethod,
  DescMethodStreaming,
  DescMethodUnary,
  DescService,
  Message,
} from "@bufbuild/protobuf";
import { ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { RequestInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { callKey } from "./call.ts";
import { forwardedHeaders, isForwarded } from "./forwarded-headers.ts";
import type { PeerPool } from "./peer-pool.ts";
import { REQUEST_ID_HEADER } from "./request-id.ts";

/**
 * Registers a service whose handlers are another process: messages, headers, deadlines, cancellation, ids, errors and
 * their details pass as they are. Credentials are the caller's, so that the peer judges the caller and not this
 * process.
 */
export function forwardRoutes(
  service: DescService,
  pool: PeerPool,
): (router: ConnectRouter) => void {
  const handlers = service.methods.map((method) => [method.localName, handlerOf(method, pool)]);
  return (router) => {
    router.service(service, Object.fromEntries(handlers));
  };
}

function handlerOf(method: DescMethod, pool: PeerPool) {
  if (isUnary(method)) {
    return (request: Message, context: HandlerContext) =>
      forwardUnary(method, pool, request, context);
  }
  if (!isStreaming(method)) throw new Error(`${method.name} is of no known kind`);
  switch (method.methodKind) {
    case "server_streaming":
      return (request: Message, context: HandlerContext) =>
        forwardStream(method, pool, createAsyncIterable([request]), context);
    case "bidi_streaming":
      return (requests: AsyncIterable<Message>, context: HandlerContext) =>
        forwardStream(method, pool, requests, context);
    case "client_streaming":
      return async (requests: AsyncIterable<Message>, context: HandlerContext) => {
        for await (const answer of forwardStream(method, pool, requests, context)) return answer;
        throw new Error(`${method.name} was not answered`);
      };
  }
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function isStreaming(method: DescMethod): method is DescMethodStreaming {
  return method.methodKind !== "unary";
}

async function forwardUnary(
  method: DescMethodUnary,
  pool: PeerPool,
  request: Message,
  context: HandlerContext,
): Promise<Message> {
  const { transport, release } = pool.take();
  const { signal } = context;
  try {
    const answer = await transport.unary(
      method,
      signal,
      remainingMs(context),
      headersFor(context),
      request,
    );
    copyHeaders(answer.header, context.responseHeader);
    copyHeaders(answer.trailer, context.responseTrailer);
    return answer.message;
  } catch (error) {
    throw passOn(error);
  } finally {
    release();
  }
}

async function* forwardStream(
  method: DescMethodStreaming,
  pool: PeerPool,
  requests: AsyncIterable<Message>,
  context: HandlerContext,
): AsyncGenerator<Message> {
  const { transport, release } = pool.take();
  const { signal } = context;
  try {
    const headers = headersFor(context);
    const timeoutMs = remainingMs(context);
    const answer = await transport.stream(method, signal, timeoutMs, headers, requests);
    copyHeaders(answer.header, context.responseHeader);
    yield* answer.message;
    copyHeaders(answer.trailer, context.responseTrailer);
  } catch (error) {
    throw passOn(error);
  } finally {
    release();
  }
}

/** What is left of the caller's deadline, in milliseconds; 0 means none: the peer's own limit counts, in its own words. */
function remainingMs(context: HandlerContext): number {
  if (context.values.get(callKey)?.clamped) return 0;
  const leftMs = context.timeoutMs();
  return leftMs === undefined ? 0 : Math.max(1, leftMs);
}

function headersFor(context: HandlerContext): Headers {
  const headers = forwardedHeaders(context.requestHeader);
  const requestId = context.values.get(callKey)?.requestId;
  if (requestId !== undefined) headers.set(REQUEST_ID_HEADER, requestId);
  return headers;
}

function copyHeaders(from: Headers, to: Headers): void {
  for (const [name, value] of from) {
    if (isForwarded(name) && name !== REQUEST_ID_HEADER) to.set(name, value);
  }
}

/**
 * The peer's error with its code, message and details, as if it were made here; the request's id is added again on the
 * way out. Any other error is left to the server's own words.
 */
function passOn(error: unknown): unknown {
  if (!(error instanceof ConnectError) || !error.isWireError) return error;
  const passed = new ConnectError(error.rawMessage, error.code, undefined, undefined, error);
  passed.details = error.details.filter(
    (detail) => !("type" in detail && detail.type === RequestInfoSchema.typeName),
  );
  return passed;
}
