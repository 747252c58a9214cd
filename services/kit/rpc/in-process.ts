import type { DescMethod } from "@bufbuild/protobuf";
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
import { ruleKey } from "./context.ts";
import type { Gate } from "./gate.ts";
import { toWire } from "./outcome.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";

/** What a router is here. */
type Handlers = Pick<ConnectRouter, "handlers">;

/** What is known of a call before its message. */
export interface Opening {
  readonly method: DescMethod;
  readonly header: Headers;
  /** Address it came from. */
  readonly source: string;
}

/** A call that was let in; exactly one of the two is done with it. */
export interface OpenCall {
  /** Carries this one call. The deadline comes in the header `connect-timeout-ms`. */
  readonly transport: Transport;
  /** Largest message in bytes. */
  readonly bytesMax: number;
  /** Ends the call before it is made: its message is not fit. The error as its caller is told. */
  refuse(error: unknown): ConnectError;
}

/**
 * A way to the handlers of this port without the wire: gate, rules, limits, deadlines, errors, log and metrics are those
 * of a call from outside. The gate comes first, so that nobody's message is read who may not call.
 */
export type InProcess = (opening: Opening) => Promise<OpenCall>;

/** Calls the handlers of a router. */
export function inProcess(router: Handlers, gate: Gate, options: AdapterOptions): InProcess {
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return async ({ method, header, source }) => {
    const rpc = `${method.parent.typeName}/${method.name}`;
    const handler = handlers.get(`/${rpc}`);
    if (handler === undefined) throw new ConnectError("no such RPC", Code.Unimplemented);
    const requestId = requestIdOf(header.get(REQUEST_ID_HEADER));
    const call = startCall({ rpc, streaming: method.methodKind !== "unary", requestId, source });
    options.metrics.began(rpc);
    const values = createContextValues().set(callKey, call);
    const ending = Promise.withResolvers<void>();
    const ended = (): void => {
      ending.resolve();
      callEnded(options, call);
    };
    try {
      await gate({ service: method.parent, method, requestHeader: header, values });
    } catch (error) {
      ended();
      throw error;
    }
    const httpClient: UniversalClientFn = async (request) => {
      const signal = request.signal ?? new AbortController().signal;
      const body = request.body ?? createAsyncIterable([]);
      const universal = { ...request, httpVersion: "2.0", body, signal, contextValues: values };
      try {
        const watch = { cut: () => undefined, ended: ending.promise };
        const answer = await runHandler(handler, call, universal, options, watch);
        return {
          status: answer.status,
          header: new Headers(answer.header),
          trailer: new Headers(answer.trailer),
          body: untilEnded(answer.body ?? createAsyncIterable([]), ended),
        };
      } catch (error) {
        ended();
        throw error;
      }
    };
    return {
      transport: transportOf(httpClient),
      bytesMax: values.get(ruleKey)?.requestBytesMax || options.limits.readBytesMax,
      refuse(error) {
        const wire = toWire(error, options.reasons, call);
        ended();
        return wire;
      },
    };
  };
}

function transportOf(httpClient: UniversalClientFn): Transport {
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
