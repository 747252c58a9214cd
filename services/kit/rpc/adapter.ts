import type { IncomingMessage, ServerResponse } from "node:http";
import { Code, ConnectError, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Log } from "../log.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import { eitherSignal } from "./abortable.ts";
import { type Call, callKey, logCall, startCall } from "./call.ts";
import { clampDeadline } from "./deadline.ts";
import type { RpcLimits } from "./limits.ts";
import { toWire } from "./outcome.ts";
import type { PortHandler } from "./port.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";
import { improveError, protocolOf, readRefusal, writeFailure } from "./transport-errors.ts";

type RpcHandler = ConnectRouter["handlers"][number];

/** What the adapter needs besides the router. */
export interface AdapterOptions {
  readonly log: Log;
  readonly reasons: ReasonTable;
  readonly limits: RpcLimits;
  /** Aborted with a refusal when streams have to end. */
  readonly shutdown: AbortSignal;
  /** Takes every request that is no RPC of the router. */
  readonly fallback: PortHandler;
}

/**
 * Connects the router to Node's HTTP servers. Around each RPC: a request id, the server's deadline, the errors of
 * the transport in our words, and a line in the log.
 */
export function rpcAdapter(router: ConnectRouter, options: AdapterOptions): PortHandler {
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(request.url?.split("?", 1)[0] ?? "");
    if (handler === undefined) {
      options.fallback(request, response);
      return;
    }
    const rpc = `${handler.service.typeName}/${handler.method.name}`;
    const streaming = handler.method.methodKind !== "unary";
    const call = startCall(rpc, streaming, requestIdOf(request.headers[REQUEST_ID_HEADER]));
    let closed = false;
    response.once("close", () => {
      closed = true;
      if (!response.writableEnded) call.code ??= Code.Canceled;
      logCall(options.log, call);
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
  const universal = readRequest(call, request, response);
  if (universal === undefined) {
    response.writeHead(400).end();
    return;
  }
  const { limits } = options;
  call.clamped = clampDeadline(universal.header, call.streaming ? limits.streamMs : limits.unaryMs);
  if (call.streaming) {
    const { signal, release } = eitherSignal(universal.signal, options.shutdown);
    response.once("close", release);
    await write(await handler({ ...universal, signal }), call, response);
    return;
  }
  // A caller that dribbles its message never reaches a handler, so nothing else would end the call.
  const guard = setTimeout(() => response.destroy(), limits.unaryMs + limits.answerGraceMs);
  const result = await handler(universal).finally(() => clearTimeout(guard));
  const improve = (error: ConnectError) => toWire(explain(error, call), options.reasons, call);
  const protocol = protocolOf(request.headers["content-type"]);
  const known = call.code !== undefined;
  await write(known ? result : await improveError(result, protocol, improve), call, response);
}

/** Undefined when the request has no authority, or one that is not a host. */
function readRequest(
  call: Call,
  request: IncomingMessage,
  response: ServerResponse,
): UniversalServerRequest | undefined {
  try {
    const values = createContextValues().set(callKey, call);
    return universalRequestFromNodeRequest(request, response, undefined, values);
  } catch {
    return undefined;
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
  await universalResponseToNodeResponse({ ...result, header }, response);
}
