import type { IncomingMessage, ServerResponse } from "node:http";
import { Code, ConnectError, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { requestBytesMax } from "../auth/access.ts";
import { exactBody, exactUrl, jsonForm } from "../json/request.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import { Refusal } from "../refusal.ts";
import type { SecurityLog } from "../security-log.ts";
import { anySignal } from "./abortable.ts";
import { boundedBody, leaseBody } from "./body.ts";
import { type Call, callKey, logCall, logSecurity, startCall } from "./call.ts";
import { clampDeadline } from "./deadline.ts";
import type { RpcLimits } from "./limits.ts";
import { toWire } from "./outcome.ts";
import { answerRefusal, NO_STORE } from "./plain-error.ts";
import type { PortHandler } from "./port.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";
import { sourceOf } from "./source.ts";
import { improveError, protocolOf, readRefusal, writeFailure } from "./transport-errors.ts";

type RpcHandler = ConnectRouter["handlers"][number];

/** What the adapter needs besides the router. */
export interface AdapterOptions {
  readonly log: Log;
  readonly reasons: ReasonTable;
  readonly limits: RpcLimits;
  readonly metrics: Metrics;
  readonly security: SecurityLog;
  /** Aborted with a refusal when streams have to end. */
  readonly shutdown: AbortSignal;
}

/**
 * Connects the router to Node's HTTP servers. Around each RPC: a request id, the server's deadline, the errors of
 * the transport in our words, a line in the log, and its place in the metrics. `fallback` takes every request that
 * is no RPC of the router.
 */
export function rpcAdapter(
  router: Pick<ConnectRouter, "handlers">,
  options: AdapterOptions,
  fallback: PortHandler,
): PortHandler {
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(request.url?.split("?", 1)[0] ?? "");
    if (handler === undefined) {
      fallback(request, response);
      return;
    }
    const rpc = `${handler.service.typeName}/${handler.method.name}`;
    const call = startCall({
      rpc,
      streaming: handler.method.methodKind !== "unary",
      requestId: requestIdOf(request.headers[REQUEST_ID_HEADER]),
      source: sourceOf(request),
    });
    options.metrics.began(rpc);
    let closed = false;
    response.once("close", () => {
      closed = true;
      if (!response.writableEnded) call.code ??= Code.Canceled;
      callEnded(options, call);
    });
    answer(handler, call, request, response, options).catch((error: unknown) => {
      if (closed) return;
      options.log.error({ err: error, rpc, requestId: call.requestId }, "response not sent");
      response.destroy();
    });
  };
}

async function answer(
  handler: RpcHandler,
  call: Call,
  request: IncomingMessage,
  response: ServerResponse,
  options: AdapterOptions,
): Promise<void> {
  const universal = readRequest(handler, call, request, response, options);
  if (universal instanceof Refusal) {
    answerRefusal(request, response, universal, call.requestId);
    return;
  }
  // A caller that dribbles its message never reaches a handler, so nothing else would end the call.
  const cut = (): void => {
    response.destroy();
  };
  const ended = new Promise<void>((resolve) => response.once("close", resolve));
  await write(await runHandler(handler, call, universal, options, { cut, ended }), call, response);
}

/** Whoever waits for an answer, as a running handler sees it. */
export interface Caller {
  /** Ends a unary call whose message does not arrive. */
  readonly cut: () => void;
  /** Settles when nobody waits any more. */
  readonly ended: Promise<void>;
}

/** Runs a handler under the server's deadline, with the errors of the transport in our words. */
export async function runHandler(
  handler: RpcHandler,
  call: Call,
  request: UniversalServerRequest,
  options: AdapterOptions,
  caller: Caller,
): Promise<UniversalServerResponse> {
  const { limits } = options;
  call.clamped = clampDeadline(request.header, call.streaming ? limits.streamMs : limits.unaryMs);
  if (call.streaming) {
    const { signal, release } = anySignal([request.signal, options.shutdown, call.ending.signal]);
    caller.ended.then(release);
    return handler({ ...request, signal });
  }
  const guard = setTimeout(caller.cut, limits.unaryMs + limits.answerGraceMs);
  const result = await handler(request).finally(() => clearTimeout(guard));
  if (call.code !== undefined) return result;
  const improve = (error: ConnectError) => toWire(explain(error, call), options.reasons, call);
  return improveError(result, protocolOf(request.header.get("content-type")), improve);
}

/** Notes an ended call in the log and the metrics, and gives back what it held. */
export function callEnded(options: AdapterOptions, call: Call): void {
  for (const release of call.onEnd.splice(0)) release();
  options.metrics.ended(call.rpc, call.code, performance.now() - call.startMs);
  logCall(options.log, call);
  logSecurity(options.security, call);
}

/** A refusal when the request has no authority, or one that is not a host, or a message in its URL that is no JSON. */
function readRequest(
  handler: RpcHandler,
  call: Call,
  request: IncomingMessage,
  response: ServerResponse,
  options: AdapterOptions,
): UniversalServerRequest | Refusal {
  try {
    const values = createContextValues().set(callKey, call);
    const universal = universalRequestFromNodeRequest(request, response, undefined, values);
    // Connect's own reader destroys a request that it leaves in the middle: nobody could read the rest then.
    const body = bounded(handler, call, request.iterator({ destroyOnReturn: false }), options);
    return exactRequest(handler, call, { ...universal, body }, options);
  } catch (error) {
    if (error instanceof Refusal) return error;
    return new Refusal("INVALID_FIELD", { message: "host: is not a host" });
  }
}

/** One message has a time to arrive and a part of the memory; a stream of messages holds none of them for long. */
function bounded(
  { method }: RpcHandler,
  call: Call,
  body: AsyncIterable<Uint8Array>,
  { limits, reasons }: AdapterOptions,
): AsyncIterable<Uint8Array> {
  if (method.methodKind !== "unary" && method.methodKind !== "server_streaming") return body;
  const lease = leaseBody(limits.heldBytesMax);
  call.onEnd.push(lease.release);
  return boundedBody(body, lease, limits.bodyMs, (error) => toWire(error, reasons, call));
}

/** JSON is read strictly, and as REST reads it; a stream of messages has no JSON form in this contract. */
function exactRequest(
  { method }: RpcHandler,
  call: Call,
  request: UniversalServerRequest & { readonly body: AsyncIterable<Uint8Array> },
  { reasons, limits }: AdapterOptions,
): UniversalServerRequest {
  if (request.method === "GET") return { ...request, url: exactUrl(method.input, request.url) };
  const bytesMax = requestBytesMax(method) || limits.readBytesMax;
  const streams = method.methodKind === "bidi_streaming";
  const form = streams ? undefined : jsonForm(request.header, bytesMax);
  if (form === undefined) return request;
  const body = refusing(exactBody(request.body, form, method.input), (error) =>
    toWire(error, reasons, call),
  );
  // What is read may be longer than what was sent: a whole number becomes a text.
  const header = new Headers(request.header);
  header.delete("content-length");
  return { ...request, header, body };
}

async function* refusing(
  body: AsyncIterable<Uint8Array>,
  refuse: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw error instanceof Refusal ? refuse(error) : error;
  }
}

/** An error that did not pass the interceptors is about reading the request, or about writing the response. */
function explain(error: ConnectError, call: Call): unknown {
  if (call.reached) return writeFailure(error);
  return readRefusal(error) ?? new ConnectError(error.rawMessage, error.code);
}

async function write(
  result: UniversalServerResponse,
  call: Call,
  response: ServerResponse,
): Promise<void> {
  const header = new Headers(result.header);
  header.set(REQUEST_ID_HEADER, call.requestId);
  // Answers show balances, and some show secrets: no cache on the way may keep them.
  if (!header.has("cache-control")) header.set("cache-control", NO_STORE);
  await universalResponseToNodeResponse({ ...result, header }, response);
}
