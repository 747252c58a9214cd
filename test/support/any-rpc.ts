import {
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromJson,
  type JsonObject,
  toJsonString,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { reasonOf } from "#kit/rpc/errors.ts";

/** How a call of any RPC ended: `OK`, or code and reason as `NotFound PAYMENT_NOT_FOUND`. */
export interface Ended {
  readonly outcome: string;
  readonly code: Code | undefined;
  readonly message: string;
  /** The answer as JSON; empty for a failure. Of a stream the first message. */
  readonly json: string;
}

/** Calls RPCs that are known by their descriptor only. */
export interface AnyRpc extends Disposable {
  call(
    method: DescMethod,
    message: JsonObject,
    headers: Readonly<Record<string, string>>,
  ): Promise<Ended>;
}

const TIMEOUT_MS = 30_000;

/** One connection to `host:port`. */
export function anyRpc(address: string): AnyRpc {
  const baseUrl = `http://${address}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const transport = createGrpcTransport({ baseUrl, sessionManager });
  return {
    async call(method, message, headers) {
      try {
        const json = await send(transport, method, message, headers);
        return { outcome: "OK", code: undefined, message: "", json };
      } catch (error) {
        const { code, rawMessage } = ConnectError.from(error);
        const outcome = `${Code[code]} ${reasonOf(error) ?? ""}`.trimEnd();
        return { outcome, code, message: rawMessage, json: "" };
      }
    },
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}

async function send(
  transport: Transport,
  method: DescMethod,
  message: JsonObject,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const input = fromJson(method.input, message);
  if (isUnary(method)) {
    const unary = await transport.unary(method, undefined, TIMEOUT_MS, headers, input);
    return toJsonString(method.output, unary.message);
  }
  const { message: answers } = await transport.stream(
    method as DescMethodStreaming,
    undefined,
    TIMEOUT_MS,
    headers,
    (async function* () {
      yield input;
    })(),
  );
  for await (const answer of answers) return toJsonString(method.output, answer);
  return "";
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}
