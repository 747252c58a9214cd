import {
  Code,
  ConnectError,
  type ConnectRouter,
  createContextValues,
  type Transport,
} from "@connectrpc/connect";
import { createAsyncIterable, type UniversalClientFn } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-connect";
import { type AdapterOptions, callEnded, runHandler } from "./adapter.ts";
import { callKey, startCall } from "./call.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";

/**
 * A transport to the handlers of this port without the wire: gate, rules, limits, deadlines, errors, log and metrics
 * are those of a call from outside. The deadline comes in the header `connect-timeout-ms`.
 */
export function inProcessTransport(router: ConnectRouter, options: AdapterOptions): Transport {
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const httpClient: UniversalClientFn = async (request) => {
    const handler = handlers.get(new URL(request.url).pathname);
    if (handler === undefined) throw new ConnectError("no such RPC", Code.Unimplemented);
    const streaming = handler.method.methodKind !== "unary";
    const requestId = requestIdOf(request.header.get(REQUEST_ID_HEADER));
    const rpc = `${handler.service.typeName}/${handler.method.name}`;
    const call = startCall(rpc, streaming, requestId);
    options.metrics.began(rpc);
    const ending = Promise.withResolvers<void>();
    const contextValues = createContextValues().set(callKey, call);
    const signal = request.signal ?? new AbortController().signal;
    const body = request.body ?? createAsyncIterable([]);
    const universal = { ...request, httpVersion: "2.0", body, signal, contextValues };
    const ended = (): void => {
      ending.resolve();
      callEnded(options, call);
    };
    try {
      const watch = { cut: () => undefined, ended: ending.promise };
      const answer = await runHandler(handler, call, universal, options, watch);
      const bytes = answer.body ?? createAsyncIterable([]);
      return {
        status: answer.status,
        header: new Headers(answer.header),
        trailer: new Headers(answer.trailer),
        body: untilEnded(bytes, ended),
      };
    } catch (error) {
      ended();
      throw error;
    }
  };
  return createTransport({
    httpClient,
    baseUrl: "http://in-process",
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    readMaxBytes: Number.MAX_SAFE_INTEGER,
    writeMaxBytes: Number.MAX_SAFE_INTEGER,
  });
}

async function* untilEnded<T>(items: AsyncIterable<T>, ended: () => void): AsyncIterable<T> {
  try {
    yield* items;
  } finally {
    ended();
  }
}
