import type { IncomingMessage, ServerResponse } from "node:http";
import { Code, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Log } from "../log.ts";
import { type Call, callKey } from "./call.ts";
import type { PortHandler } from "./port.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";

type RpcHandler = ConnectRouter["handlers"][number];

/** What the adapter needs besides the router. */
export interface AdapterOptions {
  readonly log: Log;
  /** Takes every request that is no RPC of the router. */
  readonly fallback: PortHandler;
}

/** Connects the router to Node's HTTP servers, with a call record for each request. */
export function rpcAdapter(router: ConnectRouter, options: AdapterOptions): PortHandler {
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(request.url?.split("?", 1)[0] ?? "");
    if (handler === undefined) {
      options.fallback(request, response);
      return;
    }
    const call = startCall(handler, request);
    response.once("close", () => logCall(options.log, call));
    answer(handler, call, request, response).catch((error: unknown) => {
      // Writing failed: the caller is gone. Nothing is left to tell it.
      options.log.debug(
        { err: error, rpc: call.rpc, requestId: call.requestId },
        "response not sent",
      );
      response.destroy();
    });
  };
}

async function answer(
  handler: RpcHandler,
  call: Call,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const values = createContextValues().set(callKey, call);
  const universal = universalRequestFromNodeRequest(request, response, undefined, values);
  const result = await handler(universal);
  const header = new Headers(result.header);
  header.set(REQUEST_ID_HEADER, call.requestId);
  await universalResponseToNodeResponse({ ...result, header }, response);
}

function startCall(handler: RpcHandler, request: IncomingMessage): Call {
  return {
    requestId: requestIdOf(request.headers[REQUEST_ID_HEADER]),
    rpc: `${handler.service.typeName}/${handler.method.name}`,
    startMs: performance.now(),
    clamped: false,
    reached: false,
    code: undefined,
    reason: undefined,
    cause: undefined,
  };
}

function logCall(log: Log, call: Call): void {
  const line = {
    rpc: call.rpc,
    requestId: call.requestId,
    code: call.code === undefined ? "OK" : Code[call.code],
    reason: call.reason,
    durationMs: Math.round(performance.now() - call.startMs),
  };
  if (call.code === Code.Internal || call.code === Code.Unknown)
    log.error({ ...line, err: call.cause }, "call failed");
  else log.debug(line, "call");
}
